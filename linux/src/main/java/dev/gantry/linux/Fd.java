package dev.gantry.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicInteger;

/// A file descriptor that this object owns and closes, always close-on-exec.
///
/// Closing twice does nothing; using it after is an IllegalStateException. Closing it while another
/// thread reads or writes is the caller's mistake, as the number may be given to the next file opened.
public final class Fd implements AutoCloseable {

    private static final int SCRATCH = 64 * 1024;

    // For buffers on the heap, whose bytes have to be copied where the kernel may see them.
    private static final ThreadLocal<MemorySegment> SCRATCHES =
            ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(SCRATCH));

    private final AtomicInteger value;
    private final String name;

    Fd(int value, Object name) {
        this.value = new AtomicInteger(value);
        this.name = name.toString();
    }

    public int value() {
        int fd = value.get();
        if (fd < 0) {
            throw new IllegalStateException("descriptor of " + name + " is closed");
        }
        return fd;
    }

    /// Writes what the kernel takes at once and moves the buffer's position; returns the number of
    /// bytes, 0 when a non-blocking descriptor is full.
    public int write(ByteBuffer bytes) {
        int length = bytes.remaining();
        MemorySegment memory;
        if (bytes.isDirect()) {
            memory = MemorySegment.ofBuffer(bytes);
        } else {
            length = Math.min(length, SCRATCH);
            memory = SCRATCHES.get();
            MemorySegment.copy(MemorySegment.ofBuffer(bytes), 0, memory, 0, length);
        }
        int written = (int) transfer(SystemCall.WRITE, memory, length, "write");
        bytes.position(bytes.position() + Math.max(written, 0));
        return Math.max(written, 0);
    }

    /// Writes all of it; for descriptors that block.
    public void write(byte[] bytes, int offset, int length) {
        ByteBuffer rest = ByteBuffer.wrap(bytes, offset, length);
        while (rest.hasRemaining()) {
            write(rest);
        }
    }

    /// Reads what is there; returns the number of bytes, 0 at the end, -1 when a non-blocking
    /// descriptor has nothing yet.
    public int read(ByteBuffer bytes) {
        int length = bytes.remaining();
        MemorySegment memory;
        if (bytes.isDirect()) {
            memory = MemorySegment.ofBuffer(bytes);
        } else {
            length = Math.min(length, SCRATCH);
            memory = SCRATCHES.get();
        }
        int count = (int) transfer(SystemCall.READ, memory, length, "read");
        if (count > 0) {
            if (!bytes.isDirect()) {
                MemorySegment.copy(memory, 0, MemorySegment.ofBuffer(bytes), 0, count);
            }
            bytes.position(bytes.position() + count);
        }
        return count;
    }

    /// What stands in the file from `offset` on, at most 64 KiB and as much as the kernel gives at once. Where the
    /// file is read next is not moved, so several threads may do this.
    byte[] readAt(long offset) {
        MemorySegment memory = SCRATCHES.get();
        long count;
        try {
            do {
                count = Kernel.call(SystemCall.PREAD64, value(), memory.address(), SCRATCH, offset);
            } while (Kernel.failed(count, Errno.EINTR));
        } finally {
            Reference.reachabilityFence(memory);
        }
        byte[] bytes = new byte[(int) Kernel.check(count, "read", name)];
        MemorySegment.copy(memory, JAVA_BYTE, 0, bytes, 0, bytes.length);
        return bytes;
    }

    /// The rest of a file as a stream; closing the stream closes the descriptor.
    public InputStream stream() {
        return new FdInputStream(this);
    }

    /// Brings what was written to the disk.
    public void sync() {
        Kernel.check(Kernel.call(SystemCall.FSYNC, value()), "sync", name);
    }

    /// Sets the permission bits (07777), whatever the umask is.
    public void mode(int mode) {
        Kernel.check(Kernel.call(SystemCall.FCHMOD, value(), mode & 07777), "set mode of", name);
    }

    FileStatus status() {
        return FileStatus.of(value(), name);
    }

    private long transfer(SystemCall call, MemorySegment memory, int length, String action) {
        long result;
        try {
            do {
                result = Kernel.call(call, value(), memory.address(), length);
            } while (Kernel.failed(result, Errno.EINTR));
        } finally {
            // The kernel has only the address: the segment, and with it the buffer, must live till here.
            Reference.reachabilityFence(memory);
        }
        if (Kernel.failed(result, Errno.EAGAIN)) {
            return -1;
        }
        return Kernel.check(result, action, name);
    }

    @Override
    public void close() {
        int fd = value.getAndSet(-1);
        if (fd >= 0) {
            Kernel.close(fd);
        }
    }

    @Override
    public String toString() {
        return name + " (descriptor " + value.get() + ")";
    }
}
