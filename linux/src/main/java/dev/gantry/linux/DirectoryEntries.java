package dev.gantry.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// Reads directories by getdents64(2), names as the bytes they are: a container may have made names
/// that are no text.
final class DirectoryEntries {

    private static final byte DT_UNKNOWN = 0;
    private static final byte DT_DIR = 4;

    private final MemorySegment buffer;

    DirectoryEntries(Arena arena) {
        this.buffer = arena.allocate(32 * 1024, 8);
    }

    /// @param name without the ending zero
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Entry(byte[] name, boolean directory, boolean unknown) {}

    /// All entries but `.` and `..`, from a descriptor that has not been read yet.
    List<Entry> read(int fd, Object what) {
        List<Entry> entries = new ArrayList<>();
        while (true) {
            long length = Kernel.call(SystemCall.GETDENTS64, fd, buffer.address(), buffer.byteSize());
            // ENOENT: the directory was removed while open.
            if (length == 0 || Kernel.failed(length, Errno.ENOENT)) {
                return entries;
            }
            Kernel.check(length, "list", what);
            for (long at = 0; at < length; at += Short.toUnsignedInt(buffer.get(JAVA_SHORT, at + 16))) {
                add(entries, at);
            }
        }
    }

    // struct linux_dirent64: inode 8, offset 8, length 2, type 1, name.
    private void add(List<Entry> entries, long at) {
        int length = 0;
        while (buffer.get(JAVA_BYTE, at + 19 + length) != 0) {
            length++;
        }
        boolean dots = buffer.get(JAVA_BYTE, at + 19) == '.'
                && (length == 1 || (length == 2 && buffer.get(JAVA_BYTE, at + 20) == '.'));
        if (!dots) {
            byte[] name = buffer.asSlice(at + 19, length).toArray(JAVA_BYTE);
            byte type = buffer.get(JAVA_BYTE, at + 18);
            entries.add(new Entry(name, type == DT_DIR, type == DT_UNKNOWN));
        }
    }
}
