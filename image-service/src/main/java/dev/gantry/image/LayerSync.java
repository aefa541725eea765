package dev.gantry.image;

import dev.gantry.storage.Snapshotter;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Brings unpacked layers to the disk behind the back of pulls: a pull that waited for it would take twice as long, and
/// what a power cut catches unsynced is unpacked again from its blob. One sync serves all pulls that ended before it.
final class LayerSync implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(LayerSync.class);

    private final List<Snapshotter> snapshotters;
    private final AtomicBoolean requested = new AtomicBoolean();
    private final ExecutorService thread;

    LayerSync(List<Snapshotter> snapshotters) {
        this.snapshotters = snapshotters;
        ThreadPoolExecutor single = new ThreadPoolExecutor(
                1,
                1,
                10,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(),
                Thread.ofPlatform().name("layer-sync").daemon(true).factory());
        single.allowCoreThreadTimeOut(true);
        this.thread = single;
    }

    /// Layers were unpacked; returns at once.
    void request() {
        if (requested.compareAndSet(false, true)) {
            thread.execute(this::sync);
        }
    }

    private void sync() {
        requested.set(false);
        for (Snapshotter snapshotter : snapshotters) {
            try {
                snapshotter.sync();
            } catch (RuntimeException e) {
                log.atWarn()
                        .addKeyValue("snapshotter", snapshotter.name())
                        .setCause(e)
                        .log("cannot sync unpacked layers; a power cut would make the daemon unpack them again");
            }
        }
    }

    /// Finishes what was requested.
    @Override
    public void close() {
        thread.close();
    }
}
