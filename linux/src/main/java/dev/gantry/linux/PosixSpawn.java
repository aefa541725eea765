package dev.gantry.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// posix_spawn(3): starts a program without copying the JVM's page tables.
///
/// The program begins with no signal blocked or ignored (the JVM blocks and ignores some), in a process
/// group of its own, and with descriptors 0 to 2 alone: the JDK's own do not all close on exec.
final class PosixSpawn {

    private static final int SETPGROUP = 2;
    private static final int SETSIGDEF = 4;
    private static final int SETSIGMASK = 8;
    // Larger than the C libraries have them: 336, 80 and 128 bytes.
    private static final int ATTRIBUTES_SIZE = 512;
    private static final int ACTIONS_SIZE = 256;
    private static final int SIGNAL_SET_SIZE = 128;

    private static final MemorySegment SPAWN = Libc.find("posix_spawn");
    private static final MemorySegment SPAWNP = Libc.find("posix_spawnp");
    private static final MemorySegment ATTR_INIT = Libc.find("posix_spawnattr_init");
    private static final MemorySegment ATTR_DESTROY = Libc.find("posix_spawnattr_destroy");
    private static final MemorySegment ATTR_FLAGS = Libc.find("posix_spawnattr_setflags");
    private static final MemorySegment ATTR_MASK = Libc.find("posix_spawnattr_setsigmask");
    private static final MemorySegment ATTR_DEFAULT = Libc.find("posix_spawnattr_setsigdefault");
    private static final MemorySegment ACTIONS_INIT = Libc.find("posix_spawn_file_actions_init");
    private static final MemorySegment ACTIONS_DESTROY = Libc.find("posix_spawn_file_actions_destroy");
    private static final MemorySegment ADD_DUP2 = Libc.find("posix_spawn_file_actions_adddup2");
    private static final MemorySegment ADD_CHDIR = Libc.find("posix_spawn_file_actions_addchdir_np");
    private static final MemorySegment ADD_CLOSE_FROM = Libc.find("posix_spawn_file_actions_addclosefrom_np");

    private PosixSpawn() {}

    /// Starts the command with these descriptors as its 0, 1 and 2 and returns its pid.
    static int start(Spawn.Command command, int input, int output, int errors) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment attributes = arena.allocate(ATTRIBUTES_SIZE, 16);
            MemorySegment actions = arena.allocate(ACTIONS_SIZE, 16);
            check(Libc.call(ATTR_INIT, attributes.address(), 0, 0), command);
            try {
                check(Libc.call(ACTIONS_INIT, actions.address(), 0, 0), command);
                try {
                    setAttributes(arena, attributes, command);
                    setActions(arena, actions, command, input, output, errors);
                    return spawn(arena, command, actions, attributes);
                } finally {
                    Libc.call(ACTIONS_DESTROY, actions.address(), 0, 0);
                }
            } finally {
                Libc.call(ATTR_DESTROY, attributes.address(), 0, 0);
            }
        }
    }

    private static int spawn(Arena arena, Spawn.Command command, MemorySegment actions, MemorySegment attributes) {
        String program = command.argv().getFirst();
        MemorySegment pid = arena.allocate(JAVA_INT);
        List<String> environment = new ArrayList<>();
        command.environment().forEach((name, value) -> environment.add(name + "=" + value));
        int error = Libc.call(
                program.indexOf('/') < 0 ? SPAWNP : SPAWN,
                pid.address(),
                Kernel.string(arena, program).address(),
                actions.address(),
                attributes.address(),
                strings(arena, command.argv()).address(),
                strings(arena, environment).address());
        check(error, command);
        return pid.get(JAVA_INT, 0);
    }

    private static void setAttributes(Arena arena, MemorySegment attributes, Spawn.Command command) {
        MemorySegment none = arena.allocate(SIGNAL_SET_SIZE, 8);
        MemorySegment all = arena.allocate(SIGNAL_SET_SIZE, 8).fill((byte) 0xff);
        check(Libc.call(ATTR_FLAGS, attributes.address(), SETPGROUP | SETSIGDEF | SETSIGMASK, 0), command);
        check(Libc.call(ATTR_MASK, attributes.address(), none.address(), 0), command);
        check(Libc.call(ATTR_DEFAULT, attributes.address(), all.address(), 0), command);
    }

    private static void setActions(
            Arena arena, MemorySegment actions, Spawn.Command command, int input, int output, int errors) {
        long address = actions.address();
        check(Libc.call(ADD_DUP2, address, input, 0), command);
        check(Libc.call(ADD_DUP2, address, output, 1), command);
        check(Libc.call(ADD_DUP2, address, errors, 2), command);
        for (Path directory : command.directory().stream().toList()) {
            check(Libc.call(ADD_CHDIR, address, Kernel.string(arena, directory).address(), 0), command);
        }
        check(Libc.call(ADD_CLOSE_FROM, address, 3, 0), command);
    }

    private static MemorySegment strings(Arena arena, List<String> texts) {
        MemorySegment array = arena.allocate(ADDRESS, texts.size() + 1L);
        for (int i = 0; i < texts.size(); i++) {
            array.setAtIndex(ADDRESS, i, Kernel.string(arena, texts.get(i)));
        }
        return array;
    }

    private static void check(int error, Spawn.Command command) {
        if (error != 0) {
            throw new ErrnoException("cannot run " + command.argv().getFirst(), error);
        }
    }
}
