package dev.gantry.linux;

/// A range of user or group ids: those inside a user namespace from `container` on are those of the host from `host`
/// on.
///
/// Example: with `new IdMapping(0, 100000, 65536)` the pod's root is the host's user 100000.
public record IdMapping(long container, long host, long size) {

    /// One less than the kernel's own limit: the last id means «no id».
    private static final long IDS = (1L << 32) - 1;

    public IdMapping {
        if (container < 0 || host < 0 || size <= 0 || container + size > IDS || host + size > IDS) {
            throw new IllegalArgumentException("id mapping %d:%d:%d is empty or has ids that are not between 0 and %d"
                    .formatted(container, host, size, IDS - 1));
        }
    }

    /// Whether an id of the inside is mapped.
    public boolean contains(long id) {
        return id >= container && id - container < size;
    }

    /// What an id of the inside is on the host; [#contains] says whether it is anything.
    public long toHost(long id) {
        if (!contains(id)) {
            throw new IllegalArgumentException("id %d is not in the mapping %s".formatted(id, this));
        }
        return host + (id - container);
    }

    /// As `container:host:size`.
    @Override
    public String toString() {
        return container + ":" + host + ":" + size;
    }
}
