package dev.gantry.cri.oci;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// Programs that the runtime calls at certain moments of a container's life (runtime specification, «POSIX-platform
/// Hooks»).
public record Hooks(
        List<Hook> prestart,
        List<Hook> createRuntime,
        List<Hook> createContainer,
        List<Hook> startContainer,
        List<Hook> poststart,
        List<Hook> poststop) {

    public Hooks {
        prestart = List.copyOf(prestart);
        createRuntime = List.copyOf(createRuntime);
        createContainer = List.copyOf(createContainer);
        startContainer = List.copyOf(startContainer);
        poststart = List.copyOf(poststart);
        poststop = List.copyOf(poststop);
    }

    static Hooks read(Members in) {
        return new Hooks(
                in.objects("prestart", Hook::read),
                in.objects("createRuntime", Hook::read),
                in.objects("createContainer", Hook::read),
                in.objects("startContainer", Hook::read),
                in.objects("poststart", Hook::read),
                in.objects("poststop", Hook::read));
    }

    void write(JsonWriter out) {
        out.objects("prestart", prestart, Hook::write)
                .objects("createRuntime", createRuntime, Hook::write)
                .objects("createContainer", createContainer, Hook::write)
                .objects("startContainer", startContainer, Hook::write)
                .objects("poststart", poststart, Hook::write)
                .objects("poststop", poststop, Hook::write);
    }

    /// One program.
    ///
    /// @param args the arguments, the program's own name first
    /// @param timeout seconds, or null for no limit
    public record Hook(
            String path,
            List<String> args,
            List<String> env,
            @Nullable Long timeout) {

        public Hook {
            args = List.copyOf(args);
            env = List.copyOf(env);
        }

        static Hook read(Members in) {
            return new Hook(in.requiredText("path"), in.texts("args"), in.texts("env"), in.number("timeout"));
        }

        private void write(JsonWriter out) {
            out.requiredText("path", path).texts("args", args).texts("env", env).number("timeout", timeout);
        }
    }
}
