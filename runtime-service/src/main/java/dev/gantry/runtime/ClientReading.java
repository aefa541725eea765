package dev.gantry.runtime;

import io.netty.channel.Channel;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Whether a client's connection is read at present. Its protocols have no flow control that its libraries use, so
/// TCP's own has to do: what is not read makes the client wait.
///
/// A connection that is not read does not tell either that the client has gone; something is sent from time to time
/// to learn that. On the event loop only.
final class ClientReading {

    private static final long PROBE_SECONDS = 5;

    private final Channel channel;
    private final Runnable probe;
    private int reasons;
    private @Nullable ScheduledFuture<?> probing;

    /// @param probe sends something that the client answers or ignores
    ClientReading(Channel channel, Runnable probe) {
        this.channel = channel;
        this.probe = probe;
    }

    /// One more reason not to read.
    void hold() {
        reasons++;
        if (reasons == 1) {
            channel.config().setAutoRead(false);
            probing = channel.eventLoop()
                    .scheduleAtFixedRate(this::probe, PROBE_SECONDS, PROBE_SECONDS, TimeUnit.SECONDS);
        }
    }

    void release() {
        reasons--;
        if (reasons == 0) {
            stopProbing();
            channel.config().setAutoRead(true);
        }
    }

    private void probe() {
        if (channel.isActive()) {
            probe.run();
        } else {
            stopProbing();
        }
    }

    private void stopProbing() {
        ScheduledFuture<?> running = probing;
        if (running != null) {
            running.cancel(false);
            probing = null;
        }
    }
}
