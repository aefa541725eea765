package dev.gantry.runtime;

import dev.gantry.cri.oci.OciProcess;
import dev.gantry.cri.runtime.v1.Capability;
import dev.gantry.sandbox.SpecParts;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/// Which capabilities a container gets.
///
/// What the daemon lacks itself it cannot give: such a capability is left out of the default set and of `ALL`, but is
/// an error where the request names it, as runc would fail later with less to say.
final class ContainerCapabilities {

    private static final String ALL = "ALL";

    /// By number (linux/capability.h).
    static final List<String> NAMES = List.of(
            "CAP_CHOWN",
            "CAP_DAC_OVERRIDE",
            "CAP_DAC_READ_SEARCH",
            "CAP_FOWNER",
            "CAP_FSETID",
            "CAP_KILL",
            "CAP_SETGID",
            "CAP_SETUID",
            "CAP_SETPCAP",
            "CAP_LINUX_IMMUTABLE",
            "CAP_NET_BIND_SERVICE",
            "CAP_NET_BROADCAST",
            "CAP_NET_ADMIN",
            "CAP_NET_RAW",
            "CAP_IPC_LOCK",
            "CAP_IPC_OWNER",
            "CAP_SYS_MODULE",
            "CAP_SYS_RAWIO",
            "CAP_SYS_CHROOT",
            "CAP_SYS_PTRACE",
            "CAP_SYS_PACCT",
            "CAP_SYS_ADMIN",
            "CAP_SYS_BOOT",
            "CAP_SYS_NICE",
            "CAP_SYS_RESOURCE",
            "CAP_SYS_TIME",
            "CAP_SYS_TTY_CONFIG",
            "CAP_MKNOD",
            "CAP_LEASE",
            "CAP_AUDIT_WRITE",
            "CAP_AUDIT_CONTROL",
            "CAP_SETFCAP",
            "CAP_MAC_OVERRIDE",
            "CAP_MAC_ADMIN",
            "CAP_SYSLOG",
            "CAP_WAKE_ALARM",
            "CAP_BLOCK_SUSPEND",
            "CAP_AUDIT_READ",
            "CAP_PERFMON",
            "CAP_BPF",
            "CAP_CHECKPOINT_RESTORE");

    private ContainerCapabilities() {}

    /// `ALL` first, then the single names; what is dropped stays dropped even when it was added.
    ///
    /// @param available tells by its number whether the daemon has a capability
    static OciProcess.Capabilities of(Capability request, IntPredicate available) {
        Set<String> added = names("add", request.getAddCapabilitiesList());
        Set<String> dropped = names("drop", request.getDropCapabilitiesList());
        Set<String> ambient = names("ambient", request.getAddAmbientCapabilitiesList());
        Set<String> held = new LinkedHashSet<>();
        if (added.remove(ALL)) {
            held.addAll(all(available));
        } else if (!dropped.contains(ALL)) {
            SpecParts.DEFAULT_CAPABILITIES.stream()
                    .filter(it -> available.test(NAMES.indexOf(it)))
                    .forEach(held::add);
        }
        if (dropped.remove(ALL)) {
            held.clear();
        }
        for (String name : added) {
            if (!available.test(NAMES.indexOf(name))) {
                throw new ContainerException.InvalidRequest(
                        "cannot add capability %s: the daemon does not have it itself".formatted(name));
            }
            held.add(name);
        }
        held.removeAll(dropped);
        for (String name : ambient) {
            if (!held.contains(name)) {
                throw new ContainerException.InvalidRequest(
                        "ambient capability %s is not among those that the container has".formatted(name));
            }
        }
        return SpecParts.capabilities(held, ambient);
    }

    /// Everything there is to give.
    static OciProcess.Capabilities privileged(IntPredicate available) {
        return SpecParts.capabilities(all(available), List.of());
    }

    private static List<String> all(IntPredicate available) {
        return IntStream.range(0, NAMES.size())
                .filter(available)
                .mapToObj(NAMES::get)
                .toList();
    }

    private static Set<String> names(String what, Collection<String> requested) {
        Set<String> names = new LinkedHashSet<>();
        for (String name : requested) {
            names.add(parse(what, name));
        }
        return names;
    }

    /// `NET_ADMIN`, `cap_net_admin` and `CAP_NET_ADMIN` are one; `ALL` stays, but not as an ambient one.
    private static String parse(String what, String name) {
        String upper = name.toUpperCase(Locale.ROOT);
        if (upper.equals(ALL) && !what.equals("ambient")) {
            return ALL;
        }
        String full = upper.startsWith("CAP_") ? upper : "CAP_" + upper;
        if (!NAMES.contains(full)) {
            throw new ContainerException.InvalidRequest("unknown capability \"%s\" in the list of those to %s"
                    .formatted(name, what.equals("ambient") ? "make ambient" : what));
        }
        return full;
    }
}
