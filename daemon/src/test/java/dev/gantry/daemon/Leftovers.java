package dev.gantry.daemon;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;

/// What pods of a node may leave on the host, which all carries a name of the node.
///
/// @param name of the bridge and of the topmost cgroup
/// @param subnet the first three numbers of the pods' addresses
record Leftovers(Path directory, String name, String subnet) {

    private static final Path CGROUPS = Path.of("/sys/fs/cgroup");

    /// A line for each thing that is there besides the daemon itself.
    List<String> of(List<ProcessHandle> processes, Set<Path> imageLayers) {
        List<String> left = new ArrayList<>();
        processes.forEach(it -> left.add("process %d: %s"
                .formatted(
                        it.pid(),
                        ChildNode.proc(Path.of("/proc", Long.toString(it.pid()), "cmdline"))
                                .replace('\0', ' '))));
        mounts().stream()
                .filter(it -> !it.equals(directory.resolve("root").toString())) // which a test may have put there
                .forEach(it -> left.add("mount " + it));
        cgroups().filter(it -> !it.endsWith(name)).forEach(it -> left.add("cgroup " + it));
        for (String folder : List.of(
                "state/netns",
                "state/tasks",
                "state/runc/k8s.io",
                "state/sandboxes",
                "state/s",
                "root/sandboxes",
                "root/containers")) {
            entries(directory.resolve(folder)).forEach(it -> left.add("file " + it));
        }
        layers().stream().filter(it -> !imageLayers.contains(it)).forEach(it -> left.add("snapshot " + it));
        entries(directory.resolve("ipam").resolve(name))
                .filter(it -> it.getFileName().toString().startsWith(subnet))
                .forEach(it -> left.add("address " + it.getFileName()));
        entries(Path.of("/sys/class/net", name, "brif")).forEach(it -> left.add("interface " + it));
        rules().forEach(it -> left.add("iptables rule " + it));
        return left;
    }

    /// Ends the test's own part, and whatever was left, so that the next test finds nothing of it.
    void clear() {
        mounts().reversed().forEach(it -> ChildProgram.run("umount", "-l", it));
        cgroups().sorted(Comparator.reverseOrder()).toList().forEach(Leftovers::removeCgroup);
        if (Files.exists(Path.of("/sys/class/net", name))) { // the plugin leaves its bridge
            var _ = ChildProgram.run("ip", "link", "delete", name);
        }
        var _ = ChildProgram.run("rm", "-rf", directory.toString());
    }

    private List<String> mounts() {
        return lines(Path.of("/proc/self/mountinfo"))
                .map(it -> it.split(" ", 6)[4])
                .filter(it -> it.startsWith(directory + "/"))
                .toList();
    }

    private Stream<Path> cgroups() {
        return Stream.concat(Stream.of(CGROUPS), entries(CGROUPS))
                .map(it -> it.resolve(name))
                .filter(Files::isDirectory)
                .flatMap(Leftovers::foldersIn);
    }

    private static Stream<Path> foldersIn(Path top) {
        try (Stream<Path> all = Files.walk(top)) {
            return all.filter(Files::isDirectory).toList().stream();
        } catch (IOException | UncheckedIOException _) {
            return Stream.of(); // gone meanwhile
        }
    }

    private static void removeCgroup(Path cgroup) {
        try {
            Files.deleteIfExists(cgroup);
        } catch (IOException _) {
            System.err.println("cannot remove cgroup " + cgroup);
        }
    }

    /// The layers of images, containers and pods.
    List<Path> layers() {
        return entries(directory.resolve("root/snapshots/overlayfs")).toList();
    }

    private Stream<String> rules() {
        Predicate<String> own = it -> it.contains(name) || it.contains(subnet + ".");
        return ChildProgram.run("iptables-save").lines().filter(own);
    }

    private static Stream<Path> entries(Path folder) {
        if (!Files.isDirectory(folder)) {
            return Stream.of();
        }
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.toList().stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Stream<String> lines(Path file) {
        try {
            return Files.readAllLines(file).stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
