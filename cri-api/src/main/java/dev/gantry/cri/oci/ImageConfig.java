package dev.gantry.cri.oci;

import java.time.DateTimeException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The configuration of an image: its platform, how its program is started, and which layers make its root file
/// system. Its digest is the id of the image.
///
/// ```json
/// {"architecture": "amd64", "os": "linux", "config": {"Cmd": ["/bin/sh"], "Env": ["PATH=/bin"]},
///  "rootfs": {"type": "layers", "diff_ids": ["sha256:9a1c…"]}}
/// ```
///
/// Signs of what may be missing: text is empty, lists are empty, the time of creation is null.
public record ImageConfig(
        Platform platform,
        @Nullable Instant created,
        String author,
        Execution config,
        List<Digest> diffIds,
        List<History> history) {

    public ImageConfig {
        diffIds = List.copyOf(diffIds);
        history = List.copyOf(history);
    }

    /// @throws MalformedDocumentException if it is no configuration of an image
    public static ImageConfig parse(byte[] bytes, String document) {
        Members in = Members.of(bytes, document);
        in.requiredText("os");
        in.requiredText("architecture");
        Execution config = in.object("config", Execution::read);
        return new ImageConfig(
                Platform.read(in),
                instant(in),
                in.text("author"),
                config == null ? Execution.EMPTY : config,
                in.requiredObject("rootfs", ImageConfig::diffIds),
                in.objects("history", History::read));
    }

    public byte[] toJson() {
        return JsonWriter.document(this, ImageConfig::write);
    }

    private static List<Digest> diffIds(Members rootfs) {
        String type = rootfs.text("type");
        if (!type.isEmpty() && !type.equals("layers")) {
            throw rootfs.wrong("type", "is %s, not layers".formatted(type));
        }
        return rootfs.texts("diff_ids").stream()
                .map(text -> rootfs.convert("diff_ids", text, Digest::parse))
                .toList();
    }

    private static @Nullable Instant instant(Members in) {
        String text = in.text("created");
        try {
            return text.isEmpty() ? null : Instant.parse(text);
        } catch (DateTimeException _) {
            throw in.wrong("created", "is not a time of RFC 3339: " + text);
        }
    }

    private void write(JsonWriter out) {
        out.text("created", created == null ? "" : created.toString()).text("author", author);
        platform.write(out);
        out.object("config", config, Execution::write)
                .object(
                        "rootfs",
                        diffIds,
                        (ids, rootfs) -> rootfs.requiredText("type", "layers")
                                .requiredTexts(
                                        "diff_ids",
                                        ids.stream().map(Digest::toString).toList()))
                .objects("history", history, History::write);
    }

    /// How containers of the image are started, unless they say otherwise.
    ///
    /// @param user `user`, `uid`, `user:group` and so on; names are those of the image's own files
    /// @param exposedPorts such as `80/tcp`
    /// @param env entries of the form `NAME=value`
    /// @param volumes folders that hold data of containers
    /// @param stopSignal name or number; empty means SIGTERM
    /// @param argsEscaped Windows only: the command is one line already
    public record Execution(
            String user,
            List<String> exposedPorts,
            List<String> env,
            List<String> entrypoint,
            List<String> cmd,
            List<String> volumes,
            String workingDir,
            Map<String, String> labels,
            String stopSignal,
            boolean argsEscaped) {

        static final Execution EMPTY =
                new Execution("", List.of(), List.of(), List.of(), List.of(), List.of(), "", Map.of(), "", false);

        public Execution {
            exposedPorts = List.copyOf(exposedPorts);
            env = List.copyOf(env);
            entrypoint = List.copyOf(entrypoint);
            cmd = List.copyOf(cmd);
            volumes = List.copyOf(volumes);
            labels = Ordered.copyOf(labels);
        }

        static Execution read(Members in) {
            return new Execution(
                    in.text("User"),
                    in.set("ExposedPorts"),
                    in.texts("Env"),
                    in.texts("Entrypoint"),
                    in.texts("Cmd"),
                    in.set("Volumes"),
                    in.text("WorkingDir"),
                    in.map("Labels"),
                    in.text("StopSignal"),
                    in.flag("ArgsEscaped"));
        }

        private void write(JsonWriter out) {
            out.text("User", user)
                    .set("ExposedPorts", exposedPorts)
                    .texts("Env", env)
                    .texts("Entrypoint", entrypoint)
                    .texts("Cmd", cmd)
                    .set("Volumes", volumes)
                    .text("WorkingDir", workingDir)
                    .map("Labels", labels)
                    .text("StopSignal", stopSignal)
                    .flag("ArgsEscaped", argsEscaped);
        }
    }

    /// One step by which the image was built; an empty layer has no place among the diff ids.
    public record History(String created, String author, String createdBy, String comment, boolean emptyLayer) {

        static History read(Members in) {
            return new History(
                    in.text("created"),
                    in.text("author"),
                    in.text("created_by"),
                    in.text("comment"),
                    in.flag("empty_layer"));
        }

        private void write(JsonWriter out) {
            out.text("created", created)
                    .text("author", author)
                    .text("created_by", createdBy)
                    .text("comment", comment)
                    .flag("empty_layer", emptyLayer);
        }
    }
}
