package dev.gantry.sandbox;

import dev.gantry.linux.Mount;
import dev.gantry.linux.Mounts;
import dev.gantry.linux.Trees;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.StringJoiner;
import java.util.regex.Pattern;

/// The files that the containers of a pod share: `hostname`, `hosts`, `resolv.conf`, `/dev/shm` and emptyDirs.
///
///     <root>/sandboxes/<id>/{hostname,hosts,resolv.conf,volumes/<name>}
///     <state>/sandboxes/<id>/shm
///
/// A pod with users of its own has there, too, the pin of their namespace and the snapshots as they look to them:
///
///     <state>/sandboxes/<id>/{user,layers}
public final class PodFiles {

    private static final Path HOST_RESOLV_CONF = Path.of("/etc/resolv.conf");
    private static final Path HOST_HOSTS = Path.of("/etc/hosts");
    private static final Path HOST_SHM = Path.of("/dev/shm");
    private static final long SHM_BYTES = 64L << 20;
    private static final Pattern VOLUME = Pattern.compile("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?");

    private final Path directory;
    private final Path stateDirectory;

    PodFiles(Path root, Path state, SandboxId id) {
        this.directory = root.resolve("sandboxes").resolve(id.value());
        this.stateDirectory = state.resolve("sandboxes").resolve(id.value());
    }

    /// What survives a reboot lies in here.
    public Path directory() {
        return directory;
    }

    public Path hostname() {
        return directory.resolve("hostname");
    }

    public Path hosts() {
        return directory.resolve("hosts");
    }

    public Path resolvConf() {
        return directory.resolve("resolv.conf");
    }

    /// The directory to mount on `/dev/shm`.
    public Path shm(SandboxNamespaces namespaces) {
        return namespaces.hostIpc() ? HOST_SHM : stateDirectory.resolve("shm");
    }

    /// The pin of the pod's user namespace.
    public Path userNamespace() {
        return stateDirectory.resolve("user");
    }

    /// Where the snapshotter's root is mounted with the pod's ids.
    Path layers() {
        return stateDirectory.resolve("layers");
    }

    /// @param label of the files for SELinux; empty for none
    void create(SandboxConfig config, String hostName, String label) {
        try {
            makeDirectory(directory);
            makeDirectory(stateDirectory);
            write(hostname(), hostName + "\n");
            write(hosts(), hostsOf(config, hostName, List.of()));
            write(resolvConf(), resolvConfOf(config.dns()));
            if (config.namespaces().users().isPresent()) {
                giveTo(config.namespaces().users().get());
            }
            List.of(hostname(), hosts(), resolvConf()).forEach(it -> SelinuxRelabel.own(it, label));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write the files of the pod to " + directory, e);
        }
        if (!config.namespaces().hostIpc()) {
            mountShm(config.namespaces().users(), label);
        }
    }

    /// The pod's root is root of its files, too.
    private void giveTo(UserIds users) throws IOException {
        for (Path file : List.of(hostname(), hosts(), resolvConf())) {
            Files.setAttribute(file, "unix:uid", (int) users.rootUser());
            Files.setAttribute(file, "unix:gid", (int) users.rootGroup());
        }
        Files.createDirectory(layers());
    }

    /// Adds the pod's own addresses, which are known only once its network is there.
    void addresses(SandboxConfig config, String hostName, List<String> ips) {
        if (config.namespaces().hostNetwork()) {
            return;
        }
        try {
            write(hosts(), hostsOf(config, hostName, ips));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + hosts(), e);
        }
    }

    /// Unmounts what was mounted and keeps the rest, for a pod that has stopped.
    void unmount() {
        Mounts.unmountTree(stateDirectory);
    }

    void delete() {
        Mounts.unmountTree(stateDirectory);
        Mounts.unmountTree(directory);
        Trees.delete(stateDirectory);
        Trees.delete(directory);
    }

    /// Makes an empty directory that lives as long as the pod.
    ///
    /// @param sizeLimit bytes; only for a volume in memory, 0 means no limit of its own
    /// @param label     as for [#create]
    Path createVolume(String name, boolean inMemory, long sizeLimit, String label) {
        if (!VOLUME.matcher(name).matches()) {
            throw new SandboxException.InvalidRequest("volume name \"%s\" is not a DNS label".formatted(name));
        }
        Path volume = directory.resolve("volumes").resolve(name);
        try {
            Files.createDirectories(volume);
            // As the kubelet does: whoever the container runs as may write.
            Files.setPosixFilePermissions(volume, PosixFilePermissions.fromString("rwxrwxrwx"));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot make volume " + name + " at " + volume, e);
        }
        if (inMemory) {
            List<String> options = sizeLimit > 0 ? List.of("mode=0777", "size=" + sizeLimit) : List.of("mode=0777");
            Mounts.mount(new Mount("tmpfs", "tmpfs", Path.of(""), Selinux.with(options, label)), volume);
        } else {
            SelinuxRelabel.own(volume, label);
        }
        return volume;
    }

    private void mountShm(Optional<UserIds> users, String label) {
        Path shm = stateDirectory.resolve("shm");
        List<String> options = new ArrayList<>(List.of("nosuid", "nodev", "noexec", "mode=1777", "size=" + SHM_BYTES));
        users.ifPresent(it -> options.addAll(List.of("uid=" + it.rootUser(), "gid=" + it.rootGroup())));
        try {
            Files.createDirectories(shm);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot make " + shm, e);
        }
        Mounts.mount(new Mount("tmpfs", "shm", Path.of(""), Selinux.with(options, label)), shm);
    }

    private static String hostsOf(SandboxConfig config, String hostName, List<String> ips) throws IOException {
        if (config.namespaces().hostNetwork() && Files.isReadable(HOST_HOSTS)) {
            return Files.readString(HOST_HOSTS);
        }
        StringJoiner text = new StringJoiner("\n", "", "\n");
        text.add("127.0.0.1\tlocalhost");
        text.add("::1\tlocalhost ip6-localhost ip6-loopback");
        text.add("fe00::0\tip6-localnet");
        text.add("fe00::1\tip6-allnodes");
        text.add("fe00::2\tip6-allrouters");
        for (String ip : ips) {
            text.add(ip + "\t" + hostName);
        }
        return text.toString();
    }

    private static String resolvConfOf(DnsConfig dns) throws IOException {
        if (dns.isEmpty()) {
            return Files.isReadable(HOST_RESOLV_CONF) ? Files.readString(HOST_RESOLV_CONF) : "";
        }
        StringBuilder text = new StringBuilder();
        if (!dns.searches().isEmpty()) {
            text.append("search ").append(String.join(" ", dns.searches())).append('\n');
        }
        dns.servers().forEach(it -> text.append("nameserver ").append(it).append('\n'));
        if (!dns.options().isEmpty()) {
            text.append("options ").append(String.join(" ", dns.options())).append('\n');
        }
        return text.toString();
    }

    private static void makeDirectory(Path path) throws IOException {
        Files.createDirectories(path);
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwx------"));
    }

    /// Readable for every user in the pod, whatever the daemon's umask.
    private static void write(Path path, String text) throws IOException {
        Files.writeString(path, text);
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-r--r--"));
    }
}
