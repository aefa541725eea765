package dev.gantry.sandbox;

import dev.gantry.cri.oci.Linux;
import dev.gantry.cri.oci.OciProcess;
import dev.gantry.cri.oci.Seccomp;
import dev.gantry.cri.oci.SeccompDefault;
import dev.gantry.cri.oci.Spec;
import dev.gantry.linux.HostFacts;
import dev.gantry.linux.IdMapping;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What the OCI specs of a pod's containers, the pause container included, have in common. Thread-safe.
public final class SpecParts {

    private static final Logger log = LoggerFactory.getLogger(SpecParts.class);
    private static final int CAP_SYS_RESOURCE = 24;
    private static final long MAX_PROFILE = 4 << 20;

    public static final String DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /// What a container may do unless it says otherwise; the set that the field agreed on long ago.
    public static final List<String> DEFAULT_CAPABILITIES = List.of(
            "CAP_CHOWN",
            "CAP_DAC_OVERRIDE",
            "CAP_FSETID",
            "CAP_FOWNER",
            "CAP_MKNOD",
            "CAP_NET_RAW",
            "CAP_SETGID",
            "CAP_SETUID",
            "CAP_SETFCAP",
            "CAP_SETPCAP",
            "CAP_NET_BIND_SERVICE",
            "CAP_SYS_CHROOT",
            "CAP_KILL",
            "CAP_AUDIT_WRITE");

    static final List<String> MASKED_PATHS = List.of(
            "/proc/acpi",
            "/proc/asound",
            "/proc/interrupts",
            "/proc/kcore",
            "/proc/keys",
            "/proc/latency_stats",
            "/proc/timer_list",
            "/proc/timer_stats",
            "/proc/sched_debug",
            "/proc/scsi",
            "/sys/firmware",
            "/sys/devices/virtual/powercap");

    static final List<String> READONLY_PATHS =
            List.of("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger");

    private final SeccompDefault seccompDefault = SeccompDefault.load();
    private final AtomicBoolean toldOfOomScore = new AtomicBoolean();
    private final AppArmor apparmor;
    private final Selinux selinux;

    public SpecParts(AppArmor apparmor, Selinux selinux) {
        this.apparmor = apparmor;
        this.selinux = selinux;
    }

    public AppArmor apparmor() {
        return apparmor;
    }

    public Selinux selinux() {
        return selinux;
    }

    /// The file systems that every container of a pod has; `/sys` is read-only.
    ///
    /// Who owns no network namespace cannot mount a sysfs: a pod with users of its own in the host's network
    /// sees the host's.
    public static List<Spec.Mount> standardMounts(SandboxNamespaces pod) {
        if (pod.users().isEmpty() || !pod.hostNetwork()) {
            return standardMounts();
        }
        List<Spec.Mount> mounts = new ArrayList<>(standardMounts());
        mounts.replaceAll(it -> it.destination().equals("/sys")
                ? new Spec.Mount(
                        "/sys", "bind", "/sys", List.of("rbind", "rprivate", "nosuid", "noexec", "nodev", "rro"))
                : it);
        return mounts;
    }

    /// What the spec of a container in a pod with a user namespace says beside the namespace itself.
    public static void addUsers(Linux.Builder linux, UserIds users) {
        linux.uidMappings(List.of(mapping(users.users()))).gidMappings(List.of(mapping(users.groups())));
    }

    /// As the runtime specification has it.
    public static dev.gantry.cri.oci.IdMapping mapping(IdMapping mapping) {
        return new dev.gantry.cri.oci.IdMapping(mapping.container(), mapping.host(), mapping.size());
    }

    private static List<Spec.Mount> standardMounts() {
        return List.of(
                new Spec.Mount("/proc", "proc", "proc", List.of("nosuid", "noexec", "nodev")),
                new Spec.Mount("/dev", "tmpfs", "tmpfs", List.of("nosuid", "strictatime", "mode=755", "size=65536k")),
                new Spec.Mount(
                        "/dev/pts",
                        "devpts",
                        "devpts",
                        List.of("nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5")),
                new Spec.Mount("/dev/mqueue", "mqueue", "mqueue", List.of("nosuid", "noexec", "nodev")),
                new Spec.Mount("/sys", "sysfs", "sysfs", List.of("nosuid", "noexec", "nodev", "ro")));
    }

    /// Capabilities of a process that is not root's heir in any other way: nothing inheritable (CVE-2022-29162).
    public static OciProcess.Capabilities capabilities(Collection<String> names, Collection<String> ambient) {
        List<String> all = List.copyOf(names);
        List<String> kept = List.copyOf(ambient);
        return new OciProcess.Capabilities(all, all, kept, all, kept);
    }

    /// The filter that a profile means, or nothing where it means none.
    ///
    /// @param bounding the container's capabilities, on which the default profile depends
    public Optional<Seccomp> seccomp(SecurityProfile profile, Collection<String> bounding) {
        return seccomp(profile, () -> seccompDefault.profile(bounding));
    }

    /// As [#seccomp], for the pause program.
    Optional<Seccomp> pauseSeccomp(SecurityProfile profile) {
        return seccomp(profile, seccompDefault::nativeProfile);
    }

    private static Optional<Seccomp> seccomp(SecurityProfile profile, Supplier<Seccomp> runtimeDefault) {
        if (!HostFacts.seccomp()) {
            if (profile instanceof SecurityProfile.Localhost) {
                throw new SandboxException.InvalidRequest("a localhost seccomp profile needs a kernel with seccomp");
            }
            return Optional.empty();
        }
        return switch (profile) {
            case SecurityProfile.Unset _, SecurityProfile.Unconfined _ -> Optional.empty();
            case SecurityProfile.RuntimeDefault _ -> Optional.of(runtimeDefault.get());
            case SecurityProfile.Localhost(String reference) -> Optional.of(localhostSeccomp(reference));
        };
    }

    /// The OOM score adjustment that the kernel will grant.
    ///
    /// Without CAP_SYS_RESOURCE nobody can go below the daemon's own value; asking for it makes runc fail.
    public long oomScoreAdjust(long wanted) {
        long own = Long.parseLong(readProc("/proc/self/oom_score_adj"));
        if (wanted >= own || HostFacts.hasCapability(CAP_SYS_RESOURCE)) {
            return wanted;
        }
        if (toldOfOomScore.compareAndSet(false, true)) {
            log.atWarn()
                    .addKeyValue("wanted", wanted)
                    .addKeyValue("granted", own)
                    .log("cannot lower an oom_score_adj below the daemon's own without CAP_SYS_RESOURCE; the OOM"
                            + " killer may choose system pods earlier than asked");
        }
        return own;
    }

    private static Seccomp localhostSeccomp(String reference) {
        Path file =
                Path.of(reference.startsWith("localhost/") ? reference.substring("localhost/".length()) : reference);
        try {
            if (!file.isAbsolute() || !Files.isRegularFile(file) || Files.size(file) > MAX_PROFILE) {
                throw new SandboxException.InvalidRequest(
                        "seccomp profile %s is not an absolute path to a file of at most %d bytes"
                                .formatted(file, MAX_PROFILE));
            }
            return Seccomp.parse(Files.readAllBytes(file), "seccomp profile " + file);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read seccomp profile " + file, e);
        }
    }

    static String readProc(String file) {
        try {
            return Files.readString(Path.of(file)).strip();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file, e);
        }
    }
}
