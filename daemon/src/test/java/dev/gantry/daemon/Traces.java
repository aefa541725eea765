package dev.gantry.daemon;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/// What there is of a node at one moment, in the kernel and on disk. Counts only what carries the node's name, since
/// others may run on the machine.
///
/// @param namespaces pinned network namespaces
/// @param processes the daemon, its shims, and whatever is in the node's cgroups
/// @param interfaces the pods' on the node's bridge
/// @param rules of iptables
/// @param addresses files of the plugin that hands out addresses, and of the network configuration
/// @param descriptors of the daemon; those of its database are left out, which opens and closes files as it likes
/// @param files files and folders in the node's root and state, without the database's
record Traces(
        long mounts,
        long namespaces,
        long processes,
        long cgroups,
        long interfaces,
        long rules,
        long addresses,
        long descriptors,
        long files) {

    private static final Path PROCESSES = Path.of("/proc");

    static Traces of(TestNode node) throws IOException {
        String directory = node.directory().toString();
        String root = directory + "/root";
        String database = root + "/metadata";
        String name = "/" + node.cgroup();
        return new Traces(
                lines(directory + "/", "cat", "/proc/self/mountinfo"),
                list(node.directory().resolve("state/netns")).size(),
                list(PROCESSES).stream().filter(it -> isOf(node, it)).count(),
                lines(name, "find", "/sys/fs/cgroup", "-type", "d"),
                list(Path.of("/sys/class/net", node.bridge(), "brif")).size(),
                lines(node.bridge(), "iptables-save") + lines(node.bridge(), "ip6tables-save"),
                lines("", "find", directory + "/cni"),
                list(PROCESSES.resolve(node.pid() + "/fd")).stream()
                        .filter(it -> !target(it).startsWith(database))
                        .count(),
                lines("", "find", root, directory + "/state", "-path", database, "-prune", "-o", "-print"));
    }

    /// Whether all is as it was before, but for descriptors that have been closed since: the daemon reads files now and
    /// then, and the first look may have met it at that.
    boolean addNothingTo(Traces before) {
        return descriptors <= before.descriptors && with(before.descriptors).equals(before);
    }

    private Traces with(long others) {
        return new Traces(mounts, namespaces, processes, cgroups, interfaces, rules, addresses, others, files);
    }

    private static boolean isOf(TestNode node, Path process) {
        return Files.exists(process.resolve("cmdline"))
                && (content(process.resolve("cmdline")).contains(node.directory() + "/")
                        || content(process.resolve("cgroup")).contains("/" + node.cgroup()));
    }

    /// How many lines of what a command prints hold the text.
    private static long lines(String text, String... command) throws IOException {
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        try (BufferedReader output = process.inputReader()) {
            return output.lines().filter(line -> line.contains(text)).count();
        }
    }

    private static List<Path> list(Path folder) throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.toList();
        } catch (NoSuchFileException _) { // the bridge is made by the first pod
            return List.of();
        }
    }

    private static String target(Path link) {
        try {
            return Files.readSymbolicLink(link).toString();
        } catch (IOException _) {
            return "";
        }
    }

    private static String content(Path file) {
        try {
            return Files.readString(file, StandardCharsets.ISO_8859_1);
        } catch (IOException _) {
            return "";
        }
    }
}
