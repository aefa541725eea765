package dev.gantry.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Overlay mounts whose options do not fit into the one page that mount(2) takes.
///
/// Kernels from 6.7 on take the lower directories one by one (`lowerdir+`). Older ones get the options
/// relative to the directory that all layers share, which needs a thread with a working directory of
/// its own.
final class OverlayMount {

    private static final int FSOPEN_CLOEXEC = 1;
    private static final int FSCONFIG_SET_FLAG = 0;
    private static final int FSCONFIG_SET_STRING = 1;
    private static final int FSCONFIG_CMD_CREATE = 6;
    private static final int FSMOUNT_CLOEXEC = 1;
    private static final int MOVE_MOUNT_F_EMPTY_PATH = 4;
    private static final int CLONE_FS = 0x200;
    private static final int PAGE = 4095;
    private static final String LOWER = "lowerdir=";

    private OverlayMount() {}

    static int length(String data) {
        return data.getBytes(StandardCharsets.UTF_8).length;
    }

    static void mount(MountOptions options, Path target) {
        if (!mountByDescriptor(options, target)) {
            mountRelative(options, target);
        }
    }

    /// Answers false when the kernel lacks the calls or `lowerdir+`.
    private static boolean mountByDescriptor(MountOptions options, Path target) {
        try (Arena arena = Arena.ofConfined()) {
            long opened = Kernel.call(
                    SystemCall.FSOPEN, Kernel.string(arena, "overlay").address(), FSOPEN_CLOEXEC);
            if (Kernel.failed(opened, Errno.ENOSYS)) {
                return false;
            }
            try (Fd context = new Fd((int) Kernel.check(opened, "open a mount of", "overlay"), "overlay context")) {
                for (String option : options.data()) {
                    if (option.startsWith(LOWER)) {
                        for (String directory : split(option.substring(LOWER.length()))) {
                            long result = configure(arena, context, FSCONFIG_SET_STRING, "lowerdir+", directory);
                            if (Kernel.failed(result, Errno.EINVAL)
                                    && log(context).contains("lowerdir+")) {
                                return false;
                            }
                            check(result, context, target);
                        }
                    } else {
                        set(arena, context, option, target);
                    }
                }
                check(configure(arena, context, FSCONFIG_CMD_CREATE, "", ""), context, target);
                attach(arena, context, options.flags(), target);
                return true;
            }
        }
    }

    private static void set(Arena arena, Fd context, String option, Path target) {
        int equals = option.indexOf('=');
        long result = equals < 0
                ? configure(arena, context, FSCONFIG_SET_FLAG, option, "")
                : configure(
                        arena,
                        context,
                        FSCONFIG_SET_STRING,
                        option.substring(0, equals),
                        unquoted(option.substring(equals + 1)));
        check(result, context, target);
    }

    /// Quotes are for mount(2), which takes a comma for the end of an option.
    private static String unquoted(String value) {
        boolean quoted = value.length() > 1 && value.startsWith("\"") && value.endsWith("\"");
        return quoted ? value.substring(1, value.length() - 1) : value;
    }

    private static long configure(Arena arena, Fd context, int command, String key, String value) {
        long keyAddress = key.isEmpty() ? 0 : Kernel.string(arena, key).address();
        boolean text = command == FSCONFIG_SET_STRING;
        long valueAddress = text ? Kernel.string(arena, value).address() : 0;
        return Kernel.call(SystemCall.FSCONFIG, context.value(), command, keyAddress, valueAddress, 0);
    }

    private static void attach(Arena arena, Fd context, long flags, Path target) {
        long mounted = Kernel.call(SystemCall.FSMOUNT, context.value(), FSMOUNT_CLOEXEC, attributes(flags));
        check(mounted, context, target);
        try (Fd mount = new Fd((int) mounted, "overlay mount")) {
            long moved = Kernel.call(
                    SystemCall.MOVE_MOUNT,
                    mount.value(),
                    Kernel.string(arena, "").address(),
                    Kernel.AT_FDCWD,
                    Kernel.string(arena, target).address(),
                    MOVE_MOUNT_F_EMPTY_PATH);
            Kernel.check(moved, "mount overlay on", target);
        }
    }

    /// The first four flags have the same value in both worlds (MOUNT_ATTR_RDONLY and so on).
    private static long attributes(long flags) {
        long attributes = flags & 0xf;
        attributes |= (flags & MountOptions.NOATIME) != 0 ? 0x10 : 0;
        attributes |= (flags & MountOptions.STRICTATIME) != 0 ? 0x20 : 0;
        attributes |= (flags & MountOptions.NODIRATIME) != 0 ? 0x80 : 0;
        return attributes;
    }

    private static void check(long result, Fd context, Path target) {
        if (result < 0) {
            String reason = log(context);
            throw Kernel.failure(result, "mount overlay on", target + (reason.isEmpty() ? "" : " (" + reason + ")"));
        }
    }

    /// What the kernel wrote about the failure: one line for each read of the context.
    private static String log(Fd context) {
        ByteBuffer line = ByteBuffer.allocate(1024);
        try {
            context.read(line);
        } catch (ErrnoException e) {
            return e.is(Errno.ENODATA) ? "" : e.toString();
        }
        return new String(line.array(), 0, line.position(), StandardCharsets.UTF_8).strip();
    }

    static void mountRelative(MountOptions options, Path target) {
        Path base = base(options.data())
                .orElseThrow(() -> tooLong(target, "the layers share no directory to be named from"));
        List<String> shortened = new ArrayList<>();
        for (String option : options.data()) {
            shortened.add(option.startsWith(LOWER) ? LOWER + relative(option.substring(LOWER.length()), base) : option);
        }
        String data = String.join(",", shortened);
        if (length(data) > PAGE) {
            throw tooLong(target, "a kernel before 6.7 takes one page of options");
        }
        OwnThread.call("overlay-mount", () -> {
            Kernel.check(Kernel.call(SystemCall.UNSHARE, CLONE_FS), "leave the shared working directory for", target);
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment directory = Kernel.string(arena, base);
                Kernel.check(Kernel.call(SystemCall.CHDIR, directory.address()), "enter", base);
            }
            Mounts.call("overlay", target.toAbsolutePath().toString(), "overlay", options.flags(), data);
            return true;
        });
    }

    private static ErrnoException tooLong(Path target, String why) {
        return new ErrnoException(
                "cannot mount overlay on " + target + " with so many layers (" + why + ")", Errno.E2BIG);
    }

    private static Optional<Path> base(List<String> data) {
        List<Path> lower = data.stream()
                .filter(option -> option.startsWith(LOWER))
                .flatMap(option -> split(option.substring(LOWER.length())).stream())
                .map(Path::of)
                .toList();
        Path base = lower.getFirst().getParent();
        while (base != null && !allBelow(lower, base)) {
            base = base.getParent();
        }
        return Optional.ofNullable(base).filter(Path::isAbsolute);
    }

    private static boolean allBelow(List<Path> paths, Path base) {
        return paths.stream().allMatch(path -> path.startsWith(base));
    }

    private static String relative(String list, Path base) {
        List<String> relative = new ArrayList<>();
        for (String directory : split(list)) {
            relative.add(base.relativize(Path.of(directory)).toString());
        }
        return String.join(":", relative);
    }

    /// A colon after a backslash belongs to the name.
    static List<String> split(String list) {
        List<String> parts = new ArrayList<>();
        StringBuilder part = new StringBuilder();
        for (int i = 0; i < list.length(); i++) {
            char c = list.charAt(i);
            if (c == '\\' && i + 1 < list.length()) {
                part.append(list.charAt(++i));
            } else if (c == ':') {
                parts.add(part.toString());
                part.setLength(0);
            } else {
                part.append(c);
            }
        }
        parts.add(part.toString());
        return parts;
    }
}
