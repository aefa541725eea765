package dev.gantry.runtime;

import dev.gantry.cri.oci.CdiEdits;
import dev.gantry.cri.oci.Hooks;
import dev.gantry.cri.oci.Linux;
import dev.gantry.cri.oci.OciProcess;
import dev.gantry.cri.oci.Resources;
import dev.gantry.cri.oci.Spec;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// Puts what CDI devices need into the spec of a container. A later edit wins over an earlier one and over the request.
final class CdiInjection {

    private final List<CdiEdits> edits;

    private CdiInjection(List<CdiEdits> edits) {
        this.edits = edits;
    }

    /// @throws ContainerException.InvalidRequest when a device, path or feature that they need is not there
    static Spec apply(Spec spec, List<CdiEdits> edits) {
        if (edits.isEmpty()) {
            return spec;
        }
        edits.forEach(CdiInjection::refuseWhatCannotBe);
        CdiInjection injection = new CdiInjection(edits);
        OciProcess process = Objects.requireNonNull(spec.process());
        Linux linux = Objects.requireNonNull(spec.linux());
        return new Spec(
                spec.ociVersion(),
                injection.process(process),
                spec.root(),
                spec.hostname(),
                spec.domainname(),
                injection.mounts(spec.mounts(), linux),
                injection.hooks(spec.hooks()),
                spec.annotations(),
                injection.linux(linux, process.user()));
    }

    private static void refuseWhatCannotBe(CdiEdits edit) {
        if (!edit.netDevices().isEmpty()) {
            throw new ContainerException.InvalidRequest(
                    "a CDI device moves network interfaces %s into the container, which is not supported"
                            .formatted(edit.netDevices()));
        }
        CdiEdits.Rdt rdt = edit.intelRdt();
        if (rdt != null && (!rdt.schemata().isEmpty() || rdt.monitoring())) {
            throw new ContainerException.InvalidRequest(
                    "a CDI device sets schemata or monitoring of Intel RDT, which is not supported");
        }
    }

    private OciProcess process(OciProcess process) {
        Map<String, String> variables = new LinkedHashMap<>();
        process.env().forEach(it -> variables.put(name(it), it));
        edits.forEach(edit -> edit.env().forEach(it -> variables.put(name(it), it)));
        OciProcess.User user = process.user();
        TreeSet<Long> groups = new TreeSet<>(user.additionalGids());
        edits.forEach(edit -> groups.addAll(edit.additionalGids()));
        return process.toBuilder()
                .env(List.copyOf(variables.values()))
                .user(new OciProcess.User(user.uid(), user.gid(), user.umask(), List.copyOf(groups)))
                .build();
    }

    private static String name(String variable) {
        return variable.substring(0, variable.indexOf('='));
    }

    /// In a pod with ids of its own, what is bound belongs to whom it belongs on the host, in the pod's ids.
    private List<Spec.Mount> mounts(List<Spec.Mount> mounts, Linux linux) {
        List<Spec.Mount> all = new ArrayList<>(mounts);
        for (CdiEdits edit : edits) {
            for (CdiEdits.Mount mount : edit.mounts()) {
                ContainerPath destination = ContainerPath.of("mount path of a CDI device", mount.containerPath());
                if (destination.isRoot()) {
                    throw new ContainerException.InvalidRequest("a CDI device mounts on the root of the container");
                }
                boolean bind =
                        mount.options().contains("bind") || mount.options().contains("rbind");
                if (bind && !exists(mount.hostPath())) {
                    throw new ContainerException.InvalidRequest(
                            "host path %s, which a CDI device mounts on %s, does not exist"
                                    .formatted(mount.hostPath(), destination));
                }
                all.removeIf(it -> it.destination().equals(destination.value()));
                all.add(new Spec.Mount(
                        destination.value(),
                        mount.type().isEmpty() && bind ? "bind" : mount.type(),
                        mount.hostPath(),
                        mount.options(),
                        bind ? linux.uidMappings() : List.of(),
                        bind ? linux.gidMappings() : List.of()));
            }
        }
        all.sort(Comparator.comparingInt(it -> new ContainerPath(it.destination()).depth()));
        return all;
    }

    private static boolean exists(String hostPath) {
        return Files.exists(HostPaths.absolute("host path of a CDI device", hostPath));
    }

    private Hooks hooks(@Nullable Hooks own) {
        Hooks before = own == null ? new Hooks(List.of(), List.of(), List.of(), List.of(), List.of(), List.of()) : own;
        return new Hooks(
                with(before.prestart(), "prestart"),
                with(before.createRuntime(), "createRuntime"),
                with(before.createContainer(), "createContainer"),
                with(before.startContainer(), "startContainer"),
                with(before.poststart(), "poststart"),
                with(before.poststop(), "poststop"));
    }

    private List<Hooks.Hook> with(List<Hooks.Hook> own, String moment) {
        List<Hooks.Hook> all = new ArrayList<>(own);
        for (CdiEdits edit : edits) {
            edit.hooks().stream()
                    .filter(it -> it.moment().equals(moment))
                    .map(CdiEdits.Hook::program)
                    .forEach(all::add);
        }
        return all;
    }

    private Linux linux(Linux linux, OciProcess.User user) {
        Resources resources = Objects.requireNonNull(linux.resources());
        Map<String, Linux.Device> nodes = new LinkedHashMap<>();
        linux.devices().forEach(it -> nodes.put(it.path(), it));
        List<Resources.DeviceRule> rules = new ArrayList<>(resources.devices());
        Linux.Builder builder = linux.toBuilder();
        for (CdiEdits edit : edits) {
            for (CdiEdits.DeviceNode wanted : edit.deviceNodes()) {
                Linux.Device node = node(wanted, user);
                var _ = nodes.remove(node.path());
                nodes.put(node.path(), node);
                if (!node.type().equals("p") && !wanted.permissions().equals("none")) {
                    rules.add(new Resources.DeviceRule(
                            true,
                            node.type().equals("u") ? "c" : node.type(),
                            node.major(),
                            node.minor(),
                            wanted.permissions().isEmpty() ? "rwm" : wanted.permissions()));
                }
            }
            CdiEdits.Rdt rdt = edit.intelRdt();
            if (rdt != null) {
                builder.intelRdt(
                        new Linux.IntelRdt(rdt.closId(), rdt.l3CacheSchema(), rdt.memBwSchema(), rdt.cmt(), rdt.mbm()));
            }
        }
        return builder.devices(List.copyOf(nodes.values()))
                .resources(new Resources(
                        rules,
                        resources.memory(),
                        resources.cpu(),
                        resources.pidsLimit(),
                        resources.blockIo(),
                        resources.hugepageLimits(),
                        resources.network(),
                        resources.rdma(),
                        resources.unified()))
                .build();
    }

    /// What the file leaves out is as the host has it; the owner, which the host's need not know, is the container's.
    private static Linux.Device node(CdiEdits.DeviceNode wanted, OciProcess.User user) {
        String path =
                ContainerPath.of("device path of a CDI device", wanted.path()).value();
        Path host = HostPaths.absolute("host path of a CDI device", wanted.hostPath());
        Long uid = wanted.uid() == null && user.uid() > 0 ? (Long) user.uid() : wanted.uid();
        Long gid = wanted.gid() == null && user.gid() > 0 ? (Long) user.gid() : wanted.gid();
        if (wanted.type().equals("p") || (!wanted.type().isEmpty() && wanted.major() > 0)) {
            return new Linux.Device(path, wanted.type(), wanted.major(), wanted.minor(), wanted.fileMode(), uid, gid);
        }
        HostDevices.Node node = HostDevices.find(host)
                .orElseThrow(() -> new ContainerException.InvalidRequest(
                        "host path %s, which a CDI device needs, is no device".formatted(host)));
        if (!wanted.type().isEmpty() && !wanted.type().replace('u', 'c').equals(node.type())) {
            throw new ContainerException.InvalidRequest(
                    "host path %s is a device of type %s, not %s as a CDI device says"
                            .formatted(host, node.type(), wanted.type()));
        }
        Long mode = wanted.fileMode() == null ? (Long) (node.mode() & 0777L) : wanted.fileMode();
        return new Linux.Device(path, node.type(), node.major(), node.minor(), mode, uid, gid);
    }
}
