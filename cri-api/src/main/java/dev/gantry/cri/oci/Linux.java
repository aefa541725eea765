package dev.gantry.cri.oci;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What a [Spec] says about Linux alone (runtime specification, «Linux Container Configuration»). Make one with
/// [#builder()].
///
/// @param cgroupsPath a path below the cgroup root, or `slice:prefix:name` for the systemd driver
/// @param seccomp null runs the container without a filter
/// @param rootfsPropagation `private`, `slave`, `shared` or `unbindable`
/// @param timeOffsets by clock, `monotonic` or `boottime`
public record Linux(
        List<IdMapping> uidMappings,
        List<IdMapping> gidMappings,
        Map<String, String> sysctl,
        @Nullable Resources resources,
        String cgroupsPath,
        List<Namespace> namespaces,
        List<Device> devices,
        @Nullable Seccomp seccomp,
        String rootfsPropagation,
        List<String> maskedPaths,
        List<String> readonlyPaths,
        String mountLabel,
        @Nullable IntelRdt intelRdt,
        @Nullable Personality personality,
        Map<String, TimeOffset> timeOffsets) {

    public Linux {
        uidMappings = List.copyOf(uidMappings);
        gidMappings = List.copyOf(gidMappings);
        sysctl = Ordered.copyOf(sysctl);
        namespaces = List.copyOf(namespaces);
        devices = List.copyOf(devices);
        maskedPaths = List.copyOf(maskedPaths);
        readonlyPaths = List.copyOf(readonlyPaths);
        timeOffsets = Ordered.copyOf(timeOffsets);
    }

    public static Builder builder() {
        return new Builder();
    }

    /// A builder that starts with these values.
    public Builder toBuilder() {
        var builder = new Builder();
        builder.uidMappings = uidMappings;
        builder.gidMappings = gidMappings;
        builder.sysctl = sysctl;
        builder.resources = resources;
        builder.cgroupsPath = cgroupsPath;
        builder.namespaces = namespaces;
        builder.devices = devices;
        builder.seccomp = seccomp;
        builder.rootfsPropagation = rootfsPropagation;
        builder.maskedPaths = maskedPaths;
        builder.readonlyPaths = readonlyPaths;
        builder.mountLabel = mountLabel;
        builder.intelRdt = intelRdt;
        builder.personality = personality;
        builder.timeOffsets = timeOffsets;
        return builder;
    }

    static Linux read(Members in) {
        return new Linux(
                in.objects("uidMappings", IdMapping::read),
                in.objects("gidMappings", IdMapping::read),
                in.map("sysctl"),
                in.object("resources", Resources::read),
                in.text("cgroupsPath"),
                in.objects("namespaces", Namespace::read),
                in.objects("devices", Device::read),
                in.object("seccomp", Seccomp.Rules::read),
                in.text("rootfsPropagation"),
                in.texts("maskedPaths"),
                in.texts("readonlyPaths"),
                in.text("mountLabel"),
                in.object("intelRdt", IntelRdt::read),
                in.object("personality", Personality::read),
                in.objectMap("timeOffsets", TimeOffset::read));
    }

    void write(JsonWriter out) {
        out.objects("uidMappings", uidMappings, IdMapping::write)
                .objects("gidMappings", gidMappings, IdMapping::write)
                .map("sysctl", sysctl)
                .object("resources", resources, Resources::write)
                .text("cgroupsPath", cgroupsPath)
                .objects("namespaces", namespaces, Namespace::write)
                .objects("devices", devices, Device::write);
        switch (seccomp) {
            case null -> {}
            case Seccomp.Rules rules -> out.object("seccomp", rules, Seccomp.Rules::write);
            case Seccomp.Encoded encoded -> out.encoded("seccomp", encoded.json());
        }
        out.text("rootfsPropagation", rootfsPropagation)
                .texts("maskedPaths", maskedPaths)
                .texts("readonlyPaths", readonlyPaths)
                .text("mountLabel", mountLabel)
                .object("intelRdt", intelRdt, IntelRdt::write)
                .object("personality", personality, Personality::write)
                .objects("timeOffsets", timeOffsets, TimeOffset::write);
    }

    /// A namespace of the container: a new one if the path is empty, else the one at that path.
    ///
    /// @param type `pid`, `network`, `mount`, `ipc`, `uts`, `user`, `cgroup` or `time`
    public record Namespace(String type, String path) {

        public Namespace(String type) {
            this(type, "");
        }

        static Namespace read(Members in) {
            return new Namespace(in.requiredText("type"), in.text("path"));
        }

        private void write(JsonWriter out) {
            out.requiredText("type", type).text("path", path);
        }
    }

    /// A device node to be made in the container; whether it may be used is up to the rules of [Resources].
    ///
    /// @param type `b`, `c`, `u` or `p`
    /// @param fileMode the access bits; null leaves the runtime's own value
    public record Device(
            String path,
            String type,
            long major,
            long minor,
            @Nullable Long fileMode,
            @Nullable Long uid,
            @Nullable Long gid) {

        static Device read(Members in) {
            return new Device(
                    in.requiredText("path"),
                    in.requiredText("type"),
                    in.numberOrZero("major"),
                    in.numberOrZero("minor"),
                    in.number("fileMode"),
                    in.number("uid"),
                    in.number("gid"));
        }

        private void write(JsonWriter out) {
            out.requiredText("path", path)
                    .requiredText("type", type)
                    .requiredNumber("major", major)
                    .requiredNumber("minor", minor)
                    .number("fileMode", fileMode)
                    .number("uid", uid)
                    .number("gid", gid);
        }
    }

    /// Cache and memory bandwidth by Intel's resource director.
    public record IntelRdt(
            String closId, String l3CacheSchema, String memBwSchema, boolean enableCmt, boolean enableMbm) {

        static IntelRdt read(Members in) {
            return new IntelRdt(
                    in.text("closID"),
                    in.text("l3CacheSchema"),
                    in.text("memBwSchema"),
                    in.flag("enableCMT"),
                    in.flag("enableMBM"));
        }

        private void write(JsonWriter out) {
            out.text("closID", closId)
                    .text("l3CacheSchema", l3CacheSchema)
                    .text("memBwSchema", memBwSchema)
                    .flag("enableCMT", enableCmt)
                    .flag("enableMBM", enableMbm);
        }
    }

    /// The execution domain, `LINUX` or `LINUX32`.
    public record Personality(String domain, List<String> flags) {

        public Personality {
            flags = List.copyOf(flags);
        }

        static Personality read(Members in) {
            return new Personality(in.requiredText("domain"), in.texts("flags"));
        }

        private void write(JsonWriter out) {
            out.requiredText("domain", domain).texts("flags", flags);
        }
    }

    /// How far a clock of the time namespace is ahead.
    public record TimeOffset(long secs, long nanosecs) {

        static TimeOffset read(Members in) {
            return new TimeOffset(in.numberOrZero("secs"), in.numberOrZero("nanosecs"));
        }

        private void write(JsonWriter out) {
            out.requiredNumber("secs", secs).requiredNumber("nanosecs", nanosecs);
        }
    }

    /// Collects the configuration; what is not set is left out of the document.
    public static final class Builder {

        private List<IdMapping> uidMappings = List.of();
        private List<IdMapping> gidMappings = List.of();
        private Map<String, String> sysctl = Map.of();
        private @Nullable Resources resources;
        private String cgroupsPath = "";
        private List<Namespace> namespaces = List.of();
        private List<Device> devices = List.of();
        private @Nullable Seccomp seccomp;
        private String rootfsPropagation = "";
        private List<String> maskedPaths = List.of();
        private List<String> readonlyPaths = List.of();
        private String mountLabel = "";
        private @Nullable IntelRdt intelRdt;
        private @Nullable Personality personality;
        private Map<String, TimeOffset> timeOffsets = Map.of();

        private Builder() {}

        public Builder uidMappings(List<IdMapping> uidMappings) {
            this.uidMappings = uidMappings;
            return this;
        }

        public Builder gidMappings(List<IdMapping> gidMappings) {
            this.gidMappings = gidMappings;
            return this;
        }

        public Builder sysctl(Map<String, String> sysctl) {
            this.sysctl = sysctl;
            return this;
        }

        public Builder resources(Resources resources) {
            this.resources = resources;
            return this;
        }

        public Builder cgroupsPath(String cgroupsPath) {
            this.cgroupsPath = cgroupsPath;
            return this;
        }

        public Builder namespaces(List<Namespace> namespaces) {
            this.namespaces = namespaces;
            return this;
        }

        public Builder devices(List<Device> devices) {
            this.devices = devices;
            return this;
        }

        public Builder seccomp(Seccomp seccomp) {
            this.seccomp = seccomp;
            return this;
        }

        public Builder rootfsPropagation(String rootfsPropagation) {
            this.rootfsPropagation = rootfsPropagation;
            return this;
        }

        public Builder maskedPaths(List<String> maskedPaths) {
            this.maskedPaths = maskedPaths;
            return this;
        }

        public Builder readonlyPaths(List<String> readonlyPaths) {
            this.readonlyPaths = readonlyPaths;
            return this;
        }

        public Builder mountLabel(String mountLabel) {
            this.mountLabel = mountLabel;
            return this;
        }

        public Builder intelRdt(IntelRdt intelRdt) {
            this.intelRdt = intelRdt;
            return this;
        }

        public Builder personality(Personality personality) {
            this.personality = personality;
            return this;
        }

        public Builder timeOffsets(Map<String, TimeOffset> timeOffsets) {
            this.timeOffsets = timeOffsets;
            return this;
        }

        public Linux build() {
            return new Linux(
                    uidMappings,
                    gidMappings,
                    sysctl,
                    resources,
                    cgroupsPath,
                    namespaces,
                    devices,
                    seccomp,
                    rootfsPropagation,
                    maskedPaths,
                    readonlyPaths,
                    mountLabel,
                    intelRdt,
                    personality,
                    timeOffsets);
        }
    }
}
