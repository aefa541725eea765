package dev.gantry.linux;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// A control group whose files are read again and again: each stays open from its first reading on, as opening costs
/// several times what reading does. The group can be removed all the same.
///
/// Only so many files are kept in all groups together; beyond that, each reading opens its file. A file that was not
/// there once is taken to be missing for good, so make this only of a group that exists. Thread-safe.
public final class OpenCgroup implements AutoCloseable {

    private final Cgroups cgroups;
    private final String path;
    /// Guarded by this object; empty where there is no such file.
    private final Map<String, Optional<Fd>> files = new HashMap<>();

    private boolean closed;

    OpenCgroup(Cgroups cgroups, String path) {
        this.cgroups = cgroups;
        this.path = path;
    }

    /// A file that the kernel writes in one piece; empty when it or the group is not there.
    public synchronized Optional<KernelText> read(String controller, String file) {
        Optional<Fd> kept = files.get(file);
        if (kept != null) {
            return kept.flatMap(OpenCgroup::text);
        }
        Optional<Fd> opened = cgroups.open(controller, path, file);
        if (!closed && (opened.isEmpty() || cgroups.mayKeep())) {
            files.put(file, opened);
            return opened.flatMap(OpenCgroup::text);
        }
        return opened.flatMap(fd -> {
            try (fd) {
                return text(fd);
            }
        });
    }

    private static Optional<KernelText> text(Fd fd) {
        try {
            return Optional.of(new KernelText(fd.readAt(0)));
        } catch (ErrnoException e) {
            if (e.is(Errno.ENODEV, Errno.ENOENT, Errno.EOPNOTSUPP)) {
                return Optional.empty(); // the group has gone, or the kernel does not count this
            }
            throw e;
        }
    }

    /// Lets go of the files; what is read later is opened each time.
    @Override
    public synchronized void close() {
        closed = true;
        for (Optional<Fd> file : files.values()) {
            file.ifPresent(fd -> {
                fd.close();
                cgroups.letGo();
            });
        }
        files.clear();
    }
}
