package dev.gantry.linux;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The control groups of this host, by paths that begin at the root of the hierarchy (`/gantry/pod1`).
///
/// On version 1 each controller has a tree of its own, on version 2 all share one; a host with both
/// counts as version 1. A controller's name is that of version 1 or 2: `cpu`, `memory`, `pids`, `io` …
public final class Cgroups {

    /// Which interface the host's controllers have.
    public enum Version {
        V1,
        V2
    }

    private static final Path ROOT = Path.of("/sys/fs/cgroup");
    private static final int REMOVE_ATTEMPTS = 200;
    private static final long REMOVE_PAUSE_MILLIS = 10;
    /// Far below what a service may open; a container has ten files to keep.
    private static final int MOST_KEPT = 4096;
    private static final int MOST_GROUPS = 1000;

    private final Version version;
    // On version 2 every controller leads to the same place.
    private final Map<String, Path> controllers;
    private final Set<Path> hierarchies;
    private final AtomicInteger kept = new AtomicInteger();

    private Cgroups(Version version, Map<String, Path> controllers, Set<Path> hierarchies) {
        this.version = version;
        this.controllers = controllers;
        this.hierarchies = hierarchies;
    }

    public static Version version() {
        return FileSystems.statfs(ROOT).type() == FileSystems.StatFs.CGROUP2 ? Version.V2 : Version.V1;
    }

    /// Trees that lie elsewhere than the host's, such as recorded ones.
    ///
    /// @param controllers where each controller's tree begins
    public static Cgroups at(Version version, Map<String, Path> controllers) {
        return new Cgroups(version, Map.copyOf(controllers), Set.copyOf(controllers.values()));
    }

    /// Looks at what is mounted now.
    public static Cgroups host() {
        return of(version(), MountTable.read());
    }

    static Cgroups of(Version version, List<MountInfo> mounts) {
        Map<String, Path> controllers = new LinkedHashMap<>();
        Set<Path> hierarchies = new LinkedHashSet<>();
        for (MountInfo mount : mounts) {
            if (version == Version.V2
                    && mount.target().equals(ROOT)
                    && mount.type().equals("cgroup2")) {
                hierarchies.add(mount.target());
                KernelFile.read(ROOT.resolve("cgroup.controllers"))
                        .ifPresent(names -> words(names).forEach(name -> controllers.put(name, ROOT)));
            } else if (version == Version.V1 && mount.target().startsWith(ROOT) && isCgroup(mount)) {
                hierarchies.add(mount.target());
                if (mount.type().equals("cgroup")) {
                    v1Controllers(mount).forEach(name -> controllers.putIfAbsent(name, mount.target()));
                }
            }
        }
        return new Cgroups(version, controllers, hierarchies);
    }

    private static boolean isCgroup(MountInfo mount) {
        return mount.type().equals("cgroup") || mount.type().equals("cgroup2");
    }

    /// Beside its controllers a hierarchy of version 1 lists options; a name alone means no controller.
    private static List<String> v1Controllers(MountInfo mount) {
        Set<String> options =
                Set.of("rw", "ro", "noprefix", "xattr", "clone_children", "cpuset_v2_mode", "none", "favordynmods");
        return List.of(mount.superOptions().split(",", -1)).stream()
                .filter(option -> !options.contains(option) && option.indexOf('=') < 0)
                .toList();
    }

    public boolean isV2() {
        return version == Version.V2;
    }

    public List<String> controllers() {
        return List.copyOf(controllers.keySet());
    }

    public boolean hasController(String controller) {
        return controllers.containsKey(controller);
    }

    /// Makes the group under every controller, and those above it; on version 2 the controllers are
    /// handed down to it. Existing groups are well. On a failure, remove it again.
    public void create(String path) {
        for (Path hierarchy : Set.copyOf(controllers.values())) {
            Path group = hierarchy;
            for (Path part : Path.of(checked(path)).normalize()) {
                if (version == Version.V2) {
                    handDown(group);
                }
                Path above = group;
                group = group.resolve(part);
                makeGroup(group);
                inheritCpuset(above, group);
            }
        }
    }

    /// Removes the group and those below it from every hierarchy, deepest first; absent is well. Waits up
    /// to two seconds for processes that are just ending, then fails with EBUSY.
    public void remove(String path) {
        String below = checked(path);
        @Nullable ErrnoException failure = null;
        for (Path hierarchy : hierarchies) {
            try {
                for (Path group : deepestFirst(hierarchy.resolve(below))) {
                    removeGroup(group);
                }
            } catch (ErrnoException e) {
                if (failure == null) {
                    failure = e;
                } else {
                    failure.addSuppressed(e);
                }
            }
        }
        if (failure != null) {
            throw failure;
        }
    }

    /// Whether any hierarchy has the group.
    public boolean exists(String path) {
        String below = checked(path);
        return hierarchies.stream().anyMatch(hierarchy -> Files.isDirectory(hierarchy.resolve(below)));
    }

    /// Writes a file of the group.
    ///
    /// @throws ErrnoException ENOENT when the controller, the group or the file is not there
    public void write(String controller, String path, String file, String value) {
        KernelFile.write(file(controller, path, file), value);
    }

    /// A file of the group, or of the root (`/`); empty when it, the group or the controller is not there.
    public Optional<String> read(String controller, String path, String file) {
        Path hierarchy = controllers.get(controller);
        if (hierarchy == null) {
            return Optional.empty();
        }
        return KernelFile.read(path.equals("/") ? hierarchy.resolve(file) : file(controller, path, file));
    }

    /// For reading files of the group again and again; it must exist.
    public OpenCgroup keep(String path) {
        return new OpenCgroup(this, checked(path));
    }

    /// Empty when the file, the group or the controller is not there.
    Optional<Fd> open(String controller, String path, String file) {
        if (!controllers.containsKey(controller)) {
            return Optional.empty();
        }
        return KernelFile.open(file(controller, path, file));
    }

    boolean mayKeep() {
        if (kept.incrementAndGet() <= MOST_KEPT) {
            return true;
        }
        kept.decrementAndGet();
        return false;
    }

    void letGo() {
        kept.decrementAndGet();
    }

    /// The processes directly in the group.
    public List<Integer> processes(String path) {
        List<Integer> pids = new ArrayList<>();
        for (String controller : controllers.keySet()) {
            Optional<String> text = read(controller, path, "cgroup.procs");
            if (text.isPresent()) {
                words(text.get()).forEach(word -> pids.add(Integer.valueOf(word)));
                break;
            }
        }
        return pids;
    }

    /// The processes in the group and in those below it, which a container may have made: at most a thousand groups
    /// are looked at.
    public List<Integer> processesBelow(String path) {
        List<Integer> pids = new ArrayList<>();
        for (Path hierarchy : controllers.values()) {
            Path top = hierarchy.resolve(checked(path));
            if (Files.isDirectory(top)) {
                below(top).forEach(group -> addProcesses(group, pids));
                break;
            }
        }
        return pids;
    }

    private static void addProcesses(Path group, List<Integer> pids) {
        try {
            words(KernelFile.read(group.resolve("cgroup.procs")).orElse(""))
                    .forEach(word -> pids.add(Integer.valueOf(word)));
        } catch (ErrnoException e) {
            if (!e.is(Errno.EOPNOTSUPP)) { // what a group of threads says: the processes stand in one above
                throw e;
            }
        }
    }

    private static List<Path> below(Path top) {
        List<Path> groups = new ArrayList<>(List.of(top));
        for (int at = 0; at < groups.size() && groups.size() < MOST_GROUPS; at++) {
            // A directory without others in it has two links.
            if (FileStatus.links(groups.get(at)) > 2) {
                try (Stream<Path> entries = Files.list(groups.get(at))) {
                    entries.filter(Files::isDirectory).limit(MOST_GROUPS).forEach(groups::add);
                } catch (IOException | UncheckedIOException _) {
                    // It has just been removed.
                }
            }
        }
        return groups;
    }

    /// The group in which a process is for this controller.
    ///
    /// @throws ErrnoException ESRCH when there is no such process
    public String pathOf(int pid, String controller) {
        String text = KernelFile.read(Path.of("/proc/" + pid + "/cgroup"))
                .orElseThrow(() -> new ErrnoException("cannot find the cgroup of process " + pid, Errno.ESRCH));
        return pathIn(text, controller, version)
                .orElseThrow(() -> new ErrnoException(
                        "cannot find the %s cgroup of process %d".formatted(controller, pid), Errno.ENOENT));
    }

    /// Lines such as `4:memory:/a` and, for version 2, `0::/a`.
    static Optional<String> pathIn(String table, String controller, Version version) {
        for (String line : table.split("\n", -1)) {
            String[] parts = line.split(":", 3);
            boolean found = parts.length == 3
                    && (version == Version.V2
                            ? parts[0].equals("0")
                            : List.of(parts[1].split(",", -1)).contains(controller));
            if (found) {
                return Optional.of(parts[2]);
            }
        }
        return Optional.empty();
    }

    private Path file(String controller, String path, String file) {
        Path hierarchy = controllers.get(controller);
        if (hierarchy == null) {
            throw new ErrnoException("cannot find the cgroup controller " + controller, Errno.ENOENT);
        }
        if (file.indexOf('/') >= 0) {
            throw new IllegalArgumentException("not a cgroup file: " + file);
        }
        return hierarchy.resolve(checked(path)).resolve(file);
    }

    /// The path relative to a hierarchy; the root itself and what leaves it are refused.
    private static String checked(String path) {
        Path relative = Path.of("/").relativize(Path.of("/", path).normalize());
        boolean climbs = List.of(path.split("/", -1)).contains("..");
        if (climbs || relative.toString().isEmpty()) {
            throw new IllegalArgumentException("not the path of a cgroup: " + path);
        }
        return relative.toString();
    }

    private static void makeGroup(Path group) {
        try {
            Files.createDirectories(group);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot make cgroup " + group, e);
        }
    }

    /// A new cpuset of version 1 is empty, and no process can join it.
    private void inheritCpuset(Path above, Path group) {
        for (String file : List.of("cpuset.cpus", "cpuset.mems")) {
            boolean empty = version == Version.V1
                    && KernelFile.read(group.resolve(file)).map(String::isBlank).orElse(false);
            if (empty) {
                KernelFile.read(above.resolve(file)).ifPresent(value -> KernelFile.write(group.resolve(file), value));
            }
        }
    }

    /// One by one, as one controller that cannot be handed down (the group has processes, or a real-time
    /// process forbids `cpu`) would keep back the others.
    private static void handDown(Path group) {
        Path control = group.resolve("cgroup.subtree_control");
        Collection<String> given = words(KernelFile.read(control).orElse(""));
        for (String controller :
                words(KernelFile.read(group.resolve("cgroup.controllers")).orElse(""))) {
            if (!given.contains(controller)) {
                try {
                    KernelFile.write(control, "+" + controller);
                } catch (ErrnoException e) {
                    if (!e.is(Errno.EBUSY, Errno.EINVAL, Errno.EOPNOTSUPP, Errno.ENOENT)) {
                        throw e;
                    }
                }
            }
        }
    }

    private static List<Path> deepestFirst(Path group) {
        List<Path> groups = new ArrayList<>();
        try {
            Files.walkFileTree(group, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException failure) {
                    groups.add(directory);
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult visitFileFailed(Path file, IOException failure) {
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (NoSuchFileException e) {
            return List.of();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot list cgroup " + group, e);
        }
        return groups;
    }

    private static void removeGroup(Path group) {
        for (int attempt = 1; ; attempt++) {
            try {
                removeOnce(group);
                return;
            } catch (ErrnoException e) {
                if (!e.is(Errno.EBUSY) || attempt >= REMOVE_ATTEMPTS || !pause()) {
                    throw e;
                }
            }
        }
    }

    private static void removeOnce(Path group) {
        try (Arena arena = Arena.ofConfined()) {
            long result = Kernel.call(
                    SystemCall.UNLINKAT,
                    Kernel.AT_FDCWD,
                    Kernel.string(arena, group).address(),
                    Kernel.AT_REMOVEDIR);
            if (!Kernel.failed(result, Errno.ENOENT)) {
                Kernel.check(result, "remove cgroup", group);
            }
        }
    }

    private static boolean pause() {
        try {
            Thread.sleep(REMOVE_PAUSE_MILLIS);
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private static List<String> words(String text) {
        return text.isBlank() ? List.of() : List.of(text.strip().split("\\s+", -1));
    }
}
