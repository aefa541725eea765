package dev.gantry.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.spdy.SpdyFrameCodec;
import io.netty.handler.codec.spdy.SpdyHeaders;
import io.netty.handler.codec.spdy.SpdyPingFrame;
import io.netty.handler.codec.spdy.SpdyVersion;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SpdyConnectionTest {

    private static final class NoService implements SpdyConnection.Service {

        @Override
        public SpdyConnection.@Nullable Stream opened(int id, SpdyHeaders headers) {
            return null;
        }

        @Override
        public void gone() {}
    }

    private final EmbeddedChannel client = new EmbeddedChannel(new SpdyFrameCodec(SpdyVersion.SPDY_3_1));
    private final EmbeddedChannel server = new EmbeddedChannel(new ChannelInboundHandlerAdapter());
    private final SpdyConnection connection =
            new SpdyConnection(server.pipeline().firstContext(), _ -> new NoService());

    @AfterEach
    void close() {
        var _ = client.finishAndReleaseAll();
        var _ = server.finishAndReleaseAll();
    }

    private void pass(long time, TimeUnit unit) {
        server.advanceTimeBy(time, unit);
        server.runScheduledPendingTasks();
    }

    @Test
    void closesWhenTheClientHasTakenAllAndNotBefore() {
        server.freezeTime();
        connection.linger();
        pass(1, TimeUnit.HOURS);
        assertThat(server.isOpen()).isTrue();

        var _ = client.writeInbound(server.<Object>readOutbound());
        var _ = client.writeOutbound(client.<SpdyPingFrame>readInbound());
        var _ = server.writeInbound(client.<Object>readOutbound());
        pass(4, TimeUnit.SECONDS);
        assertThat(server.isOpen()).isTrue();
        pass(1, TimeUnit.SECONDS);
        assertThat(server.isOpen()).isFalse();
    }
}
