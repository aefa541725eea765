package dev.gantry.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// A directory whose contents are hostile (a container's root file system) and that no path given here
/// leaves: whatever `..`, links and magic links say, the kernel resolves as if this were `/`
/// (openat2(2), RESOLVE_IN_ROOT). The last component of a path is never followed, but by
/// [#openFile], [#readFile], [#list] and [#makeDirectories], which follow it within the root.
///
/// Made for unpacking many files: directories used last stay open and buffers are reused. Therefore
/// one thread at a time may use an instance. A path may begin with a slash; an empty one, `/` or `.`
/// is the root itself. Failures are [ErrnoException]s that name path and root; nothing is synced.
public final class RootDirectory implements AutoCloseable {

    private static final int PATH_MAX = 4096;
    private static final int S_IFIFO = 0010000;
    private static final int AT_SYMLINK_FOLLOW = 0x400;
    private static final int MAX_LINKS = 40;
    private static final int MAX_XATTR = 64 * 1024;

    private final Path root;
    private final Charset charset;
    private final int umask;
    private final Fd rootFd;
    private final ParentDirectories parents;
    private final Arena arena = Arena.ofAuto();
    private final OpenHow how = new OpenHow(arena);
    // The entry, a directory or the other path of a call with two, and what the kernel fills in.
    private final MemorySegment name = arena.allocate(PATH_MAX);
    private final MemorySegment other = arena.allocate(PATH_MAX);
    private final MemorySegment block = arena.allocate(FileStatus.STATX_SIZE, 8);
    private boolean hasFchmodat2 = true;

    private RootDirectory(Path root, Charset charset, Fd rootFd) {
        this.root = root;
        this.charset = charset;
        this.rootFd = rootFd;
        this.umask = HostFacts.umask();
        this.parents = new ParentDirectories(rootFd.value(), how, (path, what) -> encode(path, other, what));
    }

    /// Opens the directory at a path that is trusted, with names in UTF-8.
    public static RootDirectory open(Path root) {
        return open(root, StandardCharsets.UTF_8);
    }

    /// Opens with another way to write names as bytes: ISO_8859_1 carries any bytes through unchanged.
    public static RootDirectory open(Path root, Charset charset) {
        int fd = Kernel.open(root, Kernel.O_RDONLY | Architecture.O_DIRECTORY, 0);
        return new RootDirectory(root, charset, new Fd(fd, root));
    }

    public boolean exists(String path) {
        return status(path).isPresent();
    }

    /// The entry itself, links not followed; empty when it, or a directory on the way, is not there.
    public Optional<FileStatus> status(String path) {
        long parent = tryParent(path);
        if (Kernel.failed(parent, Errno.ENOENT) || Kernel.failed(parent, Errno.ENOTDIR)) {
            return Optional.empty();
        }
        return FileStatus.at((int) Kernel.check(parent, "find", in(path)), name, block, in(path));
    }

    /// Makes the directory and those above it that are missing. Links on the way are followed within the
    /// root, and where one leads nowhere its target is made: in a single layer the directory that a
    /// link means may well lie in another layer.
    public void makeDirectories(String path, int mode) {
        makeDirectories(trim(path), mode, MAX_LINKS);
    }

    private void makeDirectories(String path, int mode, int links) {
        if (isMissing(path)) {
            for (int slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1)) {
                makeMissing(path.substring(0, slash), mode, links);
            }
            makeMissing(path, mode, links);
        }
    }

    private boolean isMissing(String path) {
        long found = parents.find(path, path);
        if (Kernel.failed(found, Errno.ENOENT)) {
            return true;
        }
        Kernel.check(found, "make directory", in(path));
        return false;
    }

    private void makeMissing(String path, int mode, int links) {
        if (!isMissing(path)) {
            return;
        }
        long result = Kernel.call(SystemCall.MKDIRAT, parent(path), name.address(), mode & 07777);
        if (!Kernel.failed(result, Errno.EEXIST)) {
            Kernel.check(result, "make directory", in(path));
            fixMode(path, mode);
        } else if (links == 0) {
            throw new ErrnoException("cannot make directory " + in(path), Errno.ELOOP);
        } else {
            String target = readLink(path);
            String above = path.substring(0, Math.max(path.lastIndexOf('/'), 0));
            makeDirectories(trim(target.startsWith("/") ? target : above + "/" + target), mode, links - 1);
        }
    }

    /// mkdir(2) subtracts the umask and does not give set-id bits.
    private void fixMode(String path, int mode) {
        if ((mode & (umask | 06000)) != 0) {
            mode(path, mode);
        }
    }

    /// Makes one directory. One that is there stays, anything else that is there is replaced.
    public void makeDirectory(String path, int mode) {
        int parent = parent(path);
        long result = Kernel.call(SystemCall.MKDIRAT, parent, name.address(), mode & 07777);
        if (Kernel.failed(result, Errno.EEXIST)) {
            if (isDirectory(parent)) {
                return;
            }
            replaceable(parent, path);
            result = Kernel.call(SystemCall.MKDIRAT, parent(path), name.address(), mode & 07777);
        }
        Kernel.check(result, "make directory", in(path));
        fixMode(path, mode);
    }

    /// Makes a new file for writing; what is there already is replaced unless it is a directory (EISDIR).
    public Fd createFile(String path, int mode) {
        int flags = Kernel.O_WRONLY | Kernel.O_CREAT | Kernel.O_EXCL | Architecture.O_NOFOLLOW | Kernel.O_CLOEXEC;
        int parent = parent(path);
        long fd = Kernel.call(SystemCall.OPENAT, parent, name.address(), flags, mode & 07777);
        if (Kernel.failed(fd, Errno.EEXIST)) {
            replaceable(parent, path);
            fd = Kernel.call(SystemCall.OPENAT, parent(path), name.address(), flags, mode & 07777);
        }
        Fd file = new Fd((int) Kernel.check(fd, "create", in(path)), path);
        if ((mode & umask) != 0) {
            file.mode(mode);
        }
        return file;
    }

    /// Opens a regular file for reading, links followed within the root.
    ///
    /// @param maxSize in bytes; a larger file is EFBIG, something else than a file EINVAL
    public Fd openFile(String path, long maxSize) {
        // Without O_PATH the opening alone can block on a fifo or make a device act.
        long found = how.open(
                rootFd.value(),
                encode(nonEmpty(trim(path)), other, path),
                Kernel.O_PATH,
                OpenHow.IN_ROOT | OpenHow.NO_MAGICLINKS);
        try (Fd handle = new Fd((int) Kernel.check(found, "open", in(path)), path)) {
            FileStatus status = handle.status();
            if (!status.isRegular()) {
                throw new ErrnoException("cannot read " + in(path) + ", a " + status.type(), Errno.EINVAL);
            }
            if (status.size() > maxSize) {
                throw new ErrnoException(
                        "cannot read " + in(path) + " of more than " + maxSize + " bytes", Errno.EFBIG);
            }
            long fd = Kernel.call(
                    SystemCall.OPENAT,
                    Kernel.AT_FDCWD,
                    encode("/proc/self/fd/" + handle.value(), other, path).address(),
                    Kernel.O_RDONLY | Kernel.O_CLOEXEC);
            return new Fd((int) Kernel.check(fd, "open", in(path)), path);
        }
    }

    /// The whole of a regular file, links followed within the root; EFBIG beyond `limit` bytes.
    public byte[] readFile(String path, int limit) {
        try (Fd file = openFile(path, limit)) {
            // Its size may have been zero by name only (/proc) or it may grow meanwhile.
            ByteBuffer bytes =
                    ByteBuffer.allocate((int) Math.min(limit + 1L, file.status().size() + 4096));
            while (file.read(bytes) > 0) {
                if (bytes.position() > limit) {
                    throw new ErrnoException(
                            "cannot read " + in(path) + " of more than " + limit + " bytes", Errno.EFBIG);
                }
                if (!bytes.hasRemaining()) {
                    int larger = (int) Math.min(limit + 1L, bytes.capacity() * 2L);
                    bytes = ByteBuffer.allocate(larger).put(bytes.flip());
                }
            }
            return Arrays.copyOf(bytes.array(), bytes.position());
        }
    }

    /// Makes a link whose text is `target`, whatever that says; replaces what is no directory.
    public void symlink(String target, String path) {
        make(
                "link",
                path,
                parent -> Kernel.call(
                        SystemCall.SYMLINKAT, encode(target, other, path).address(), parent, name.address()));
    }

    /// The text of a link.
    public String readLink(String path) {
        int parent = parent(path);
        long length = Kernel.call(SystemCall.READLINKAT, parent, name.address(), other.address(), PATH_MAX);
        return decode(other, (int) Kernel.check(length, "read link", in(path)));
    }

    /// Makes another name for `existing`, which may be a link itself and is not followed.
    public void link(String existing, String path) {
        int source = parent(existing);
        long opened = how.open(source, name, Kernel.O_PATH | Architecture.O_NOFOLLOW, OpenHow.NO_MAGICLINKS);
        try (Fd file = new Fd((int) Kernel.check(opened, "link to", in(existing)), existing)) {
            FileStatus status = file.status();
            Optional<FileStatus> there = status(path);
            boolean same = there.isPresent()
                    && there.get().inode() == status.inode()
                    && there.get().device() == status.device();
            if (!same) {
                String handle = "/proc/self/fd/" + file.value();
                make(
                        "link",
                        path,
                        parent -> Kernel.call(
                                SystemCall.LINKAT,
                                Kernel.AT_FDCWD,
                                encode(handle, other, path).address(),
                                parent,
                                name.address(),
                                AT_SYMLINK_FOLLOW));
            }
        }
    }

    /// Makes a device node.
    ///
    /// @param mode permission bits and type bits ([FileStatus.Type#bits])
    /// @param device as made by [FileStatus#device(int, int)]
    public void makeNode(String path, int mode, long device) {
        make("node", path, parent -> Kernel.call(SystemCall.MKNODAT, parent, name.address(), mode, device));
        if ((mode & umask) != 0) {
            mode(path, mode);
        }
    }

    public void makeFifo(String path, int mode) {
        makeNode(path, S_IFIFO | (mode & 07777), 0);
    }

    /// Sets the owner, of a link its own. Takes set-id bits away: set the mode after it.
    public void owner(String path, int uid, int gid) {
        int parent = parent(path);
        long result = Kernel.call(SystemCall.FCHOWNAT, parent, name.address(), uid, gid, Kernel.AT_SYMLINK_NOFOLLOW);
        Kernel.check(result, "set owner of", in(path));
    }

    /// Sets the permission bits (07777), whatever the umask is; of a link, which has none, nothing.
    public void mode(String path, int mode) {
        int parent = parent(path);
        long result = -Errno.ENOSYS.value();
        if (hasFchmodat2) {
            result =
                    Kernel.call(SystemCall.FCHMODAT2, parent, name.address(), mode & 07777, Kernel.AT_SYMLINK_NOFOLLOW);
        }
        if (Kernel.failed(result, Errno.ENOSYS)) {
            hasFchmodat2 = false;
            result = modeByHandle(parent, path, mode & 07777);
        }
        if (!Kernel.failed(result, Errno.EOPNOTSUPP)) {
            Kernel.check(result, "set mode of", in(path));
        }
    }

    /// Sets the times of access and change, of a link its own.
    public void times(String path, Instant access, Instant modify) {
        int parent = parent(path);
        block.set(JAVA_LONG, 0, access.getEpochSecond());
        block.set(JAVA_LONG, 8, access.getNano());
        block.set(JAVA_LONG, 16, modify.getEpochSecond());
        block.set(JAVA_LONG, 24, modify.getNano());
        long result =
                Kernel.call(SystemCall.UTIMENSAT, parent, name.address(), block.address(), Kernel.AT_SYMLINK_NOFOLLOW);
        Kernel.check(result, "set times of", in(path));
    }

    /// Sets an extended attribute, such as `trusted.overlay.opaque`, of a link its own.
    public void xattr(String path, String attribute, byte[] value) {
        MemorySegment entry = byDescriptor(path);
        try (Arena values = Arena.ofConfined()) {
            MemorySegment bytes = values.allocate(Math.max(value.length, 1));
            MemorySegment.copy(value, 0, bytes, JAVA_BYTE, 0, value.length);
            long result = Kernel.call(
                    SystemCall.LSETXATTR,
                    entry.address(),
                    Kernel.string(values, attribute).address(),
                    bytes.address(),
                    value.length,
                    0);
            Kernel.check(result, "set attribute " + attribute + " of", in(path));
        }
    }

    /// An extended attribute; empty when it is not set.
    public Optional<byte[]> xattr(String path, String attribute) {
        MemorySegment entry = byDescriptor(path);
        try (Arena values = Arena.ofConfined()) {
            MemorySegment value = values.allocate(MAX_XATTR);
            long length = Kernel.call(
                    SystemCall.LGETXATTR,
                    entry.address(),
                    Kernel.string(values, attribute).address(),
                    value.address(),
                    MAX_XATTR);
            if (Kernel.failed(length, Errno.ENODATA)) {
                return Optional.empty();
            }
            Kernel.check(length, "read attribute " + attribute + " of", in(path));
            return Optional.of(value.asSlice(0, length).toArray(JAVA_BYTE));
        }
    }

    /// Removes the entry, a directory with all below it; absent is well. Links are not followed, mounts
    /// not entered (EXDEV).
    public void remove(String path) {
        long parent = tryParent(path);
        if (Kernel.failed(parent, Errno.ENOENT) || Kernel.failed(parent, Errno.ENOTDIR)) {
            return;
        }
        int directory = (int) Kernel.check(parent, "remove", in(path));
        if (isRoot()) {
            throw new ErrnoException("cannot remove " + in(path), Errno.EBUSY);
        }
        long result = Kernel.call(SystemCall.UNLINKAT, directory, name.address(), 0);
        try {
            if (Kernel.failed(result, Errno.EISDIR)) {
                try (TreeRemoval removal = new TreeRemoval(in(path))) {
                    removal.remove(directory, name);
                }
            } else if (!Kernel.failed(result, Errno.ENOENT)) {
                Kernel.check(result, "remove", in(path));
            }
        } finally {
            parents.forget();
        }
    }

    /// The names in a directory, links followed within the root, in no order.
    public List<String> list(String directory) {
        long found = how.open(
                rootFd.value(),
                encode(nonEmpty(trim(directory)), other, directory),
                Kernel.O_RDONLY | Architecture.O_DIRECTORY,
                OpenHow.IN_ROOT | OpenHow.NO_MAGICLINKS);
        try (Fd fd = new Fd((int) Kernel.check(found, "list", in(directory)), directory);
                Arena memory = Arena.ofConfined()) {
            return new DirectoryEntries(memory)
                    .read(fd.value(), in(directory)).stream()
                            .map(entry -> new String(entry.name(), charset))
                            .toList();
        }
    }

    @Override
    public void close() {
        parents.forget();
        rootFd.close();
    }

    private interface Making {
        /// Makes the entry `name` in this directory: the kernel's answer.
        long in(int parent);
    }

    private void make(String what, String path, Making making) {
        int parent = parent(path);
        long result = making.in(parent);
        if (Kernel.failed(result, Errno.EEXIST)) {
            replaceable(parent, path);
            result = making.in(parent(path));
        }
        Kernel.check(result, "make " + what, in(path));
    }

    /// Makes room for another entry of this name.
    private void replaceable(int parent, String path) {
        Kernel.check(Kernel.call(SystemCall.UNLINKAT, parent, name.address(), 0), "replace", in(path));
        parents.forget();
    }

    private boolean isDirectory(int parent) {
        return FileStatus.at(parent, name, block, root)
                .map(FileStatus::isDirectory)
                .orElse(false);
    }

    private long modeByHandle(int parent, String path, int mode) {
        long handle = how.open(parent, name, Kernel.O_PATH | Architecture.O_NOFOLLOW, OpenHow.NO_MAGICLINKS);
        try (Fd file = new Fd((int) Kernel.check(handle, "set mode of", in(path)), path)) {
            if (file.status().isSymlink()) {
                return -Errno.EOPNOTSUPP.value();
            }
            MemorySegment proc = encode("/proc/self/fd/" + file.value(), other, path);
            return Kernel.call(SystemCall.FCHMODAT, Kernel.AT_FDCWD, proc.address(), mode);
        }
    }

    /// A path for calls that take no descriptor: it begins at our own, so only the last component is left
    /// to resolve, and those calls do not follow it.
    private MemorySegment byDescriptor(String path) {
        int parent = parent(path);
        String entry = decode(name, length(name));
        return encode("/proc/self/fd/" + parent + "/" + entry, other, path);
    }

    private int parent(String path) {
        return (int) Kernel.check(tryParent(path), "find the directory of", in(path));
    }

    /// Finds the directory that holds the entry, and leaves the entry's name in `name`.
    private long tryParent(String path) {
        String trimmed = trim(path);
        int slash = trimmed.lastIndexOf('/');
        String last = trimmed.substring(slash + 1);
        if (last.equals("..")) {
            throw new ErrnoException("cannot use " + in(path) + ", which names no entry", Errno.EINVAL);
        }
        rootFd.value();
        long parent = parents.find(slash < 0 ? "" : trimmed.substring(0, slash), path);
        encode(nonEmpty(last), name, path);
        return parent;
    }

    /// Without slashes at both ends and without `.` at the end.
    private static String trim(String path) {
        int start = 0;
        int end = path.length();
        while (start < end && path.charAt(start) == '/') {
            start++;
        }
        while (end > start && (path.charAt(end - 1) == '/' || isDot(path, start, end))) {
            end--;
        }
        return path.substring(start, end);
    }

    private static boolean isDot(String path, int start, int end) {
        return path.charAt(end - 1) == '.' && (end - 1 == start || path.charAt(end - 2) == '/');
    }

    private boolean isRoot() {
        return length(name) == 1 && name.get(JAVA_BYTE, 0) == '.';
    }

    private static String nonEmpty(String path) {
        return path.isEmpty() ? "." : path;
    }

    private MemorySegment encode(String text, MemorySegment into, Object what) {
        byte[] bytes = text.getBytes(charset);
        if (bytes.length >= PATH_MAX) {
            throw new ErrnoException("cannot use a path of " + bytes.length + " bytes in " + root, Errno.ENAMETOOLONG);
        }
        MemorySegment.copy(bytes, 0, into, JAVA_BYTE, 0, bytes.length);
        into.set(JAVA_BYTE, bytes.length, (byte) 0);
        if (text.indexOf('\0') >= 0) {
            throw new ErrnoException("cannot use a path with a zero byte in " + root, Errno.EINVAL);
        }
        return into;
    }

    private String decode(MemorySegment text, int length) {
        return new String(text.asSlice(0, length).toArray(JAVA_BYTE), charset);
    }

    private static int length(MemorySegment text) {
        int length = 0;
        while (text.get(JAVA_BYTE, length) != 0) {
            length++;
        }
        return length;
    }

    private String in(Object path) {
        return path + " in " + root;
    }
}
