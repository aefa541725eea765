package dev.gantry.shim;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gantry.shim.ShimNode.Container;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// An attached client that keeps what it gets.
final class AttachedClient implements AttachedStreams.Sink {

    private static final long SECONDS = ShimNode.LONG.toSeconds();

    final Text out = new Text();
    final Text err = new Text();
    final CountDownLatch outEnded = new CountDownLatch(1);
    final CountDownLatch errEnded = new CountDownLatch(1);
    final AttachedStreams streams;

    AttachedClient(Container container, Optional<String> exec, boolean stdin) {
        streams = container.shim.streams().orElseThrow().attach(container.id, exec, stdin, this);
    }

    void send(String text) throws Exception {
        streams.write(ByteBuffer.wrap(text.getBytes(UTF_8))).get(SECONDS, TimeUnit.SECONDS);
    }

    void ended() throws InterruptedException {
        assertThat(outEnded.await(SECONDS, TimeUnit.SECONDS))
                .as("the end of stdout")
                .isTrue();
        assertThat(errEnded.await(SECONDS, TimeUnit.SECONDS))
                .as("the end of stderr")
                .isTrue();
    }

    @Override
    public void data(int stream, ByteBuffer bytes) {
        (stream == 1 ? out : err).add(bytes);
    }

    @Override
    public void end(int stream) {
        (stream == 1 ? outEnded : errEnded).countDown();
    }

    /// What came on one stream.
    static final class Text {

        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        synchronized void add(ByteBuffer data) {
            byte[] copy = new byte[data.remaining()];
            data.get(copy);
            bytes.writeBytes(copy);
            notifyAll();
        }

        synchronized String text() {
            return bytes.toString(UTF_8);
        }

        synchronized int size() {
            return bytes.size();
        }

        synchronized void await(String wanted) throws InterruptedException {
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
            while (!text().contains(wanted) && System.nanoTime() < end) {
                wait(100);
            }
            assertThat(text()).contains(wanted);
        }

        synchronized void awaitSize(int wanted) throws InterruptedException {
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
            while (size() < wanted && System.nanoTime() < end) {
                wait(100);
            }
            assertThat(size()).isEqualTo(wanted);
        }
    }
}
