package dev.gantry.cri.oci;

import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// What a [CdiSpec] adds to the configuration of a container.
///
/// @param env            `NAME=value`
/// @param netDevices     names of interfaces of the host that are to be moved into the container
/// @param additionalGids without 0, which means nothing
public record CdiEdits(
        List<String> env,
        List<DeviceNode> deviceNodes,
        List<Mount> mounts,
        List<Hook> hooks,
        List<Long> additionalGids,
        List<String> netDevices,
        @Nullable Rdt intelRdt) {

    static final CdiEdits NONE = new CdiEdits(List.of(), List.of(), List.of(), List.of(), List.of(), List.of(), null);

    private static final List<String> HOOKS =
            List.of("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop");
    private static final List<String> NODE_TYPES = List.of("", "b", "c", "u", "p");
    private static final Pattern PERMISSIONS = Pattern.compile("|none|[rwm]+");
    private static final long MAX_ID = 0xffff_ffffL;

    public CdiEdits {
        env = List.copyOf(env);
        deviceNodes = List.copyOf(deviceNodes);
        mounts = List.copyOf(mounts);
        hooks = List.copyOf(hooks);
        additionalGids = List.copyOf(additionalGids);
        netDevices = List.copyOf(netDevices);
    }

    static CdiEdits orNone(@Nullable CdiEdits edits) {
        return edits == null ? NONE : edits;
    }

    static CdiEdits read(Members in) {
        List<String> env = in.only("env", "deviceNodes", "netDevices", "hooks", "mounts", "intelRdt", "additionalGids")
                .texts("env");
        if (env.stream().anyMatch(it -> it.indexOf('=') <= 0 || it.indexOf('\0') >= 0)) {
            throw in.wrong("env", "holds what is not NAME=value");
        }
        return new CdiEdits(
                env,
                in.objects("deviceNodes", DeviceNode::read),
                in.objects("mounts", Mount::read),
                in.objects("hooks", Hook::read),
                in.numbers("additionalGids").stream()
                        .map(it -> id(in, "additionalGids", it))
                        .filter(it -> it != 0)
                        .toList(),
                in.objects("netDevices", CdiEdits::netDevice),
                in.object("intelRdt", Rdt::read));
    }

    private static String netDevice(Members in) {
        in.only("hostInterfaceName", "name").requiredText("name");
        return in.requiredText("hostInterfaceName");
    }

    private static long id(Members in, String name, long id) {
        if (id < 0 || id > MAX_ID) {
            throw in.wrong(name, "holds %d, which is not an id".formatted(id));
        }
        return id;
    }

    private static @Nullable Long optionalId(Members in, String name) {
        Long id = in.number(name);
        return id == null ? null : id(in, name, id);
    }

    /// The version of the specification that all of it was there with.
    String leastVersion() {
        String least = "0.1.0";
        if (mounts.stream().anyMatch(it -> !it.type.isEmpty())) {
            least = "0.4.0";
        }
        if (deviceNodes.stream().anyMatch(it -> !it.hostPath.equals(it.path))) {
            least = "0.5.0";
        }
        if (intelRdt != null || !additionalGids.isEmpty()) {
            least = "0.7.0";
        }
        boolean newRdt = intelRdt != null && (!intelRdt.schemata.isEmpty() || intelRdt.monitoring);
        return newRdt || !netDevices.isEmpty() ? "1.1.0" : least;
    }

    /// A device node for the container.
    ///
    /// @param hostPath that of the host's node, which says what the document leaves out
    /// @param type empty, as the host's
    /// @param permissions `none`, or some of `r`, `w` and `m`; empty for all
    public record DeviceNode(
            String path,
            String hostPath,
            String type,
            long major,
            long minor,
            @Nullable Long fileMode,
            String permissions,
            @Nullable Long uid,
            @Nullable Long gid) {

        private static DeviceNode read(Members in) {
            String path = in.only("path", "hostPath", "type", "major", "minor", "fileMode", "permissions", "uid", "gid")
                    .requiredText("path");
            String type = in.text("type");
            if (!NODE_TYPES.contains(type)) {
                throw in.wrong("type", "is \"%s\", not one of b, c, u and p".formatted(type));
            }
            String permissions = in.text("permissions");
            if (!PERMISSIONS.matcher(permissions).matches()) {
                throw in.wrong("permissions", "is \"%s\", not some of r, w and m".formatted(permissions));
            }
            String hostPath = in.text("hostPath");
            return new DeviceNode(
                    path,
                    hostPath.isEmpty() ? path : hostPath,
                    type,
                    in.numberOrZero("major"),
                    in.numberOrZero("minor"),
                    in.number("fileMode"),
                    permissions,
                    optionalId(in, "uid"),
                    optionalId(in, "gid"));
        }
    }

    /// A mount for the container, of a path of the host or of a file system.
    public record Mount(String hostPath, String containerPath, String type, List<String> options) {

        public Mount {
            options = List.copyOf(options);
        }

        private static Mount read(Members in) {
            return new Mount(
                    in.only("hostPath", "containerPath", "type", "options").requiredText("hostPath"),
                    in.requiredText("containerPath"),
                    in.text("type"),
                    in.texts("options"));
        }
    }

    /// A program that the OCI runtime calls.
    ///
    /// @param moment as [Hooks] calls it
    public record Hook(String moment, Hooks.Hook program) {

        private static Hook read(Members in) {
            String moment =
                    in.only("hookName", "path", "args", "env", "timeout").requiredText("hookName");
            if (!HOOKS.contains(moment)) {
                throw in.wrong("hookName", "is \"%s\", not one of %s".formatted(moment, HOOKS));
            }
            if (!in.requiredText("path").startsWith("/")) {
                throw in.wrong("path", "is not absolute");
            }
            return new Hook(moment, Hooks.Hook.read(in));
        }
    }

    /// Cache and memory bandwidth.
    ///
    /// @param cmt until version 1.1.0
    /// @param mbm until version 1.1.0
    public record Rdt(
            String closId,
            String l3CacheSchema,
            String memBwSchema,
            List<String> schemata,
            boolean monitoring,
            boolean cmt,
            boolean mbm) {

        public Rdt {
            schemata = List.copyOf(schemata);
        }

        private static Rdt read(Members in) {
            String closId = in.only(
                            "closID",
                            "l3CacheSchema",
                            "memBwSchema",
                            "schemata",
                            "enableMonitoring",
                            "enableCMT",
                            "enableMBM")
                    .text("closID");
            if (closId.equals(".") || closId.equals("..") || closId.contains("/") || closId.contains("\n")) {
                throw in.wrong("closID", "is not the name of a folder");
            }
            return new Rdt(
                    closId,
                    in.text("l3CacheSchema"),
                    in.text("memBwSchema"),
                    in.texts("schemata"),
                    in.flag("enableMonitoring"),
                    in.flag("enableCMT"),
                    in.flag("enableMBM"));
        }
    }
}
