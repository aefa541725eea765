package dev.gantry.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class InputQueueTest {

    private static final int PIECE = 40 << 10;

    private final EmbeddedChannel channel = new EmbeddedChannel();
    private final ClientReading reading = new ClientReading(channel, () -> {});
    private final List<ByteBuf> passed = new ArrayList<>();
    private final List<ByteBuf> made = new ArrayList<>();
    private int ends;
    private final InputQueue queue = new InputQueue(reading, new InputQueue.Sink() {
        @Override
        public void pass(ByteBuf bytes) {
            passed.add(bytes);
        }

        @Override
        public void end() {
            ends++;
        }
    });

    @AfterEach
    void close() {
        var _ = channel.close();
    }

    private void add(int count) {
        for (int i = 0; i < count; i++) {
            ByteBuf piece = Unpooled.buffer(PIECE).writeZero(PIECE);
            made.add(piece);
            queue.add(piece);
        }
    }

    private boolean isRead() {
        return channel.config().isAutoRead();
    }

    @Test
    void passesOnOnePieceAfterTheOtherAndThenTheEnd() {
        add(2);
        queue.end();
        assertThat(passed).isEmpty();

        queue.open();
        assertThat(passed).hasSize(1);
        queue.next();
        assertThat(passed).isEqualTo(made);
        assertThat(ends).isZero();
        queue.next();
        assertThat(ends).isEqualTo(1);
        queue.end();
        assertThat(ends).isEqualTo(1);
    }

    @Test
    void stopsTheReadingOfAClientThatIsFasterUntilLittleIsLeft() {
        queue.open();
        add(4);
        assertThat(isRead()).isTrue();
        add(1);
        assertThat(isRead()).isFalse();

        for (int i = 0; i < 3; i++) {
            queue.next();
            assertThat(isRead()).isFalse();
        }
        queue.next();
        assertThat(isRead()).isTrue();
    }

    @Test
    void givesAllBackWhenItIsClosed() {
        add(9);
        assertThat(isRead()).isFalse();

        queue.close();

        assertThat(isRead()).isTrue();
        assertThat(made).allMatch(it -> it.refCnt() == 0);
        add(1);
        assertThat(made.getLast().refCnt()).isZero();
        assertThat(passed).isEmpty();
    }

    @Test
    void twoStalledStreamsHoldAClientUntilBothGoOn() {
        InputQueue other = new InputQueue(reading, new InputQueue.Sink() {
            @Override
            public void pass(ByteBuf bytes) {}

            @Override
            public void end() {}
        });
        add(4);
        for (int i = 0; i < 4; i++) {
            other.add(Unpooled.buffer(PIECE).writeZero(PIECE));
        }

        queue.close();
        assertThat(isRead()).isFalse();
        other.close();
        assertThat(isRead()).isTrue();
    }
}
