package dev.gantry.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/// Mounts file systems and takes them away again. Needs CAP_SYS_ADMIN; every failure is an
/// [ErrnoException] that names the target.
public final class Mounts {

    private static final int UMOUNT_NOFOLLOW = 8;
    private static final int MNT_DETACH = 2;

    // mount(2) copies one page of options and ignores the rest.
    private static final int OPTION_LIMIT = 4095;

    private Mounts() {}

    /// Mounts on `target`, or on the mount's own target below `target` when it has one.
    ///
    /// A bind mount takes its flags in a second call, as the kernel ignores them in the first; `ro` is
    /// then about the topmost mount alone, as with mount(8). Overlay mounts with more than a page of
    /// options work too.
    public static void mount(Mount mount, Path target) {
        MountOptions options = MountOptions.parse(mount.options());
        Path place = place(mount, target);
        String data = String.join(",", options.data());
        if (mount.type().equals("overlay") && OverlayMount.length(data) > OPTION_LIMIT) {
            OverlayMount.mount(options, place);
        } else {
            call(mount.source(), place.toString(), mount.type(), options.flags(), data);
        }
        long remount = options.flags() & ~(MountOptions.BIND | MountOptions.RECURSIVE | MountOptions.REMOUNT);
        if (options.isBind() && (options.flags() & MountOptions.REMOUNT) == 0 && remount != 0) {
            undoing(place, () -> remountBind(place, remount));
        }
        options.propagation().ifPresent(propagation -> undoing(place, () -> propagation(place, propagation)));
    }

    /// Shows `from` at `to` as well; `recursive` with all that is mounted below it.
    public static void bind(Path from, Path to, boolean readonly, boolean recursive) {
        mount(
                new Mount(
                        "none",
                        from.toString(),
                        Path.of(""),
                        List.of(recursive ? "rbind" : "bind", readonly ? "ro" : "rw")),
                to);
    }

    public static void propagation(Path target, Propagation propagation) {
        call("none", target.toString(), "none", propagation.flags(), "");
    }

    /// Unmounts what is on `target`, a link not followed. When nothing is mounted or there, all is well.
    public static void unmount(Path target) {
        unmount(target, UMOUNT_NOFOLLOW);
    }

    /// Takes the mount out of the tree at once; the kernel frees it when its last user has gone.
    public static void detach(Path target) {
        unmount(target, UMOUNT_NOFOLLOW | MNT_DETACH);
    }

    /// Unmounts everything at and below `root`, innermost first. A busy mount is detached.
    public static void unmountTree(Path root) {
        List<MountInfo> below = new ArrayList<>(MountTable.read());
        below.removeIf(mount -> !mount.target().startsWith(root));
        // Of several mounts on one place the last one listed lies on top.
        List<MountInfo> innermostFirst = below.reversed().stream()
                .sorted(Comparator.comparingInt(
                                (MountInfo mount) -> mount.target().getNameCount())
                        .reversed())
                .toList();
        for (MountInfo mount : innermostFirst) {
            try {
                unmount(mount.target());
            } catch (ErrnoException e) {
                if (!e.is(Errno.EBUSY)) {
                    throw e;
                }
                detach(mount.target());
            }
        }
    }

    private static void unmount(Path target, int flags) {
        try (Arena arena = Arena.ofConfined()) {
            long result =
                    Kernel.call(SystemCall.UMOUNT2, Kernel.string(arena, target).address(), flags);
            boolean nothing = Kernel.failed(result, Errno.EINVAL)
                    || Kernel.failed(result, Errno.ENOENT)
                    || Kernel.failed(result, Errno.ENOTDIR);
            if (!nothing) {
                Kernel.check(result, "unmount", target);
            }
        }
    }

    /// Nothing is left mounted when the second call fails.
    private static void undoing(Path place, Runnable step) {
        try {
            step.run();
        } catch (ErrnoException e) {
            try {
                detach(place);
            } catch (ErrnoException second) {
                e.addSuppressed(second);
            }
            throw e;
        }
    }

    private static void remountBind(Path place, long flags) {
        call("none", place.toString(), "none", MountOptions.BIND | MountOptions.REMOUNT | flags, "");
    }

    private static Path place(Mount mount, Path target) {
        String own = mount.target().toString();
        if (own.isEmpty()) {
            return target;
        }
        Path place =
                target.resolve(own.startsWith("/") ? own.substring(1) : own).normalize();
        if (!place.startsWith(target.normalize())) {
            throw new ErrnoException("cannot mount on " + own + " outside of " + target, Errno.EXDEV);
        }
        return place;
    }

    static void call(String source, String target, String type, long flags, String data) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment options = data.isEmpty() ? MemorySegment.NULL : Kernel.string(arena, data);
            long result = Kernel.call(
                    SystemCall.MOUNT,
                    Kernel.string(arena, source).address(),
                    Kernel.string(arena, target).address(),
                    Kernel.string(arena, type).address(),
                    flags,
                    options.address());
            if (result < 0) {
                boolean named = (flags & MountOptions.BIND) != 0 && !source.equals("none");
                String what = named ? source : type;
                throw Kernel.failure(result, "mount " + what + " on", target);
            }
        }
    }
}
