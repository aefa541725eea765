package dev.gantry.cri.oci;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What an OCI runtime is told to run: `config.json` of a bundle (runtime specification 1.2, the Linux part).
///
/// ```json
/// {"ociVersion": "1.2.0", "process": {"args": ["sleep", "100"], "cwd": "/", "user": {"uid": 0, "gid": 0}},
///  "root": {"path": "rootfs"}, "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
///  "linux": {"namespaces": [{"type": "pid"}, {"type": "network", "path": "/run/netns/x"}]}}
/// ```
///
/// What may be missing is empty text, an empty list or map, or null. Make one with [#builder()].
public record Spec(
        String ociVersion,
        @Nullable OciProcess process,
        @Nullable Root root,
        String hostname,
        String domainname,
        List<Mount> mounts,
        @Nullable Hooks hooks,
        Map<String, String> annotations,
        @Nullable Linux linux) {

    /// The version that our specs name, the last that every runtime takes: crun 1.8, Debian 12's, refuses a later one.
    /// The records know members of later versions, up to 1.2; runc and crun heed them whatever version is named.
    public static final String VERSION = "1.0.2";

    public Spec {
        mounts = List.copyOf(mounts);
        annotations = Ordered.copyOf(annotations);
    }

    public static Builder builder() {
        return new Builder();
    }

    /// Reads a configuration; members of other platforms and of later versions are ignored.
    ///
    /// @throws MalformedDocumentException if it is none
    public static Spec parse(byte[] bytes, String document) {
        Members in = Members.of(bytes, document);
        return new Spec(
                in.requiredText("ociVersion"),
                in.object("process", OciProcess::read),
                in.object("root", Root::read),
                in.text("hostname"),
                in.text("domainname"),
                in.objects("mounts", Mount::read),
                in.object("hooks", Hooks::read),
                in.map("annotations"),
                in.object("linux", Linux::read));
    }

    public byte[] toJson() {
        return JsonWriter.document(this, Spec::write);
    }

    private void write(JsonWriter out) {
        out.requiredText("ociVersion", ociVersion)
                .object("process", process, OciProcess::write)
                .object("root", root, Root::write)
                .text("hostname", hostname)
                .text("domainname", domainname)
                .objects("mounts", mounts, Mount::write)
                .object("hooks", hooks, Hooks::write)
                .map("annotations", annotations)
                .object("linux", linux, Linux::write);
    }

    /// The root file system; a relative path starts at the bundle.
    public record Root(String path, boolean readonly) {

        static Root read(Members in) {
            return new Root(in.requiredText("path"), in.flag("readonly"));
        }

        private void write(JsonWriter out) {
            out.requiredText("path", path).flag("readonly", readonly);
        }
    }

    /// A mount in the container, made in the order of the list. Bind mounts say `bind` or `rbind` in their options.
    public record Mount(
            String destination,
            String type,
            String source,
            List<String> options,
            List<IdMapping> uidMappings,
            List<IdMapping> gidMappings) {

        public Mount {
            options = List.copyOf(options);
            uidMappings = List.copyOf(uidMappings);
            gidMappings = List.copyOf(gidMappings);
        }

        public Mount(String destination, String type, String source, List<String> options) {
            this(destination, type, source, options, List.of(), List.of());
        }

        static Mount read(Members in) {
            return new Mount(
                    in.requiredText("destination"),
                    in.text("type"),
                    in.text("source"),
                    in.texts("options"),
                    in.objects("uidMappings", IdMapping::read),
                    in.objects("gidMappings", IdMapping::read));
        }

        private void write(JsonWriter out) {
            out.requiredText("destination", destination)
                    .text("type", type)
                    .text("source", source)
                    .texts("options", options)
                    .objects("uidMappings", uidMappings, IdMapping::write)
                    .objects("gidMappings", gidMappings, IdMapping::write);
        }
    }

    /// Collects a configuration; what is not set is left out of the document.
    public static final class Builder {

        private @Nullable OciProcess process;
        private @Nullable Root root;
        private String hostname = "";
        private String domainname = "";
        private List<Mount> mounts = List.of();
        private @Nullable Hooks hooks;
        private Map<String, String> annotations = Map.of();
        private @Nullable Linux linux;

        private Builder() {}

        public Builder process(OciProcess process) {
            this.process = process;
            return this;
        }

        public Builder root(String path, boolean readonly) {
            this.root = new Root(path, readonly);
            return this;
        }

        public Builder hostname(String hostname) {
            this.hostname = hostname;
            return this;
        }

        public Builder domainname(String domainname) {
            this.domainname = domainname;
            return this;
        }

        public Builder mounts(List<Mount> mounts) {
            this.mounts = mounts;
            return this;
        }

        public Builder hooks(Hooks hooks) {
            this.hooks = hooks;
            return this;
        }

        public Builder annotations(Map<String, String> annotations) {
            this.annotations = annotations;
            return this;
        }

        public Builder linux(Linux linux) {
            this.linux = linux;
            return this;
        }

        public Spec build() {
            return new Spec(VERSION, process, root, hostname, domainname, mounts, hooks, annotations, linux);
        }
    }
}
