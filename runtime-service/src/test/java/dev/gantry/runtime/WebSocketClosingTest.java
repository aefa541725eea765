package dev.gantry.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.util.ReferenceCountUtil;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class WebSocketClosingTest {

    /// Nothing that is written ever leaves while the client takes nothing.
    private static final class Client extends ChannelOutboundHandlerAdapter {

        private boolean takes = true;

        @Override
        public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
            if (takes) {
                var _ = context.write(message, promise);
            } else {
                ReferenceCountUtil.release(message);
            }
        }
    }

    private static final class NoService implements WebSocketChannels.Service {

        @Override
        public void message(int channel, ByteBuf bytes) {
            bytes.release();
        }

        @Override
        public void gone() {}
    }

    private final Client client = new Client();
    private final EmbeddedChannel server = new EmbeddedChannel(client, new ChannelInboundHandlerAdapter());

    @BeforeEach
    void freeze() {
        server.freezeTime();
    }

    @AfterEach
    void close() {
        var _ = server.finishAndReleaseAll();
    }

    private WebSocketChannels channels() {
        return new WebSocketChannels(server.pipeline().lastContext(), false, _ -> new NoService());
    }

    private void pass(long time, TimeUnit unit) {
        server.advanceTimeBy(time, unit);
        server.runScheduledPendingTasks();
    }

    private void closesInFiveSeconds() {
        pass(4, TimeUnit.SECONDS);
        assertThat(server.isOpen()).isTrue();
        pass(1, TimeUnit.SECONDS);
        assertThat(server.isOpen()).isFalse();
    }

    @Test
    void channelsAwaitTheAnswerOfAClientThatIsSlow() {
        channels().close();
        pass(1, TimeUnit.HOURS);
        assertThat(server.isOpen()).isTrue();

        var _ = server.writeInbound(new CloseWebSocketFrame());
        assertThat(server.isOpen()).isFalse();
        CloseWebSocketFrame only = server.readOutbound();
        assertThat(only.statusCode()).isEqualTo(1000);
        only.release();
        assertThat(server.outboundMessages()).isEmpty();
    }

    @Test
    void channelsCutOffAnIdleClientThatTakesNothing() {
        client.takes = false;
        channels().close();
        server.pipeline().fireUserEventTriggered(IdleStateEvent.ALL_IDLE_STATE_EVENT);

        closesInFiveSeconds();
    }

    @Test
    void channelsDoNotWaitForAClientThatClosesAndTakesNoAnswer() {
        client.takes = false;
        var _ = channels();
        var _ = server.writeInbound(new CloseWebSocketFrame());

        closesInFiveSeconds();
    }

    @Test
    void aTunnelClosesThoughTheClientTakesNothing() {
        client.takes = false;
        server.pipeline().addLast(new WebSocketTunnel());
        var _ = server.pipeline().close();

        closesInFiveSeconds();
    }
}
