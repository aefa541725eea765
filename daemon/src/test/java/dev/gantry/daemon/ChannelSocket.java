package dev.gantry.daemon;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.awaitility.Awaitility.await;

import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// A WebSocket that carries several streams, as Kubernetes has them: the first byte of each message is the stream's
/// number.
final class ChannelSocket implements AutoCloseable {

    private final Map<Integer, ByteArrayOutputStream> received = new ConcurrentHashMap<>();
    private final CountDownLatch closed = new CountDownLatch(1);
    private final WebSocket socket;

    /// @param address https
    ChannelSocket(HttpClient client, URI address, String protocol) {
        URI target = URI.create("wss" + address.toString().substring("https".length()));
        socket = client.newWebSocketBuilder()
                .subprotocols(protocol)
                .buildAsync(target, new Receiver())
                .orTimeout(ChildNode.PATIENCE.toSeconds(), TimeUnit.SECONDS)
                .join();
    }

    private final class Receiver implements WebSocket.Listener {

        private final ByteArrayOutputStream message = new ByteArrayOutputStream();

        @Override
        public @Nullable CompletionStage<?> onBinary(WebSocket webSocket, ByteBuffer data, boolean last) {
            while (data.hasRemaining()) {
                message.write(data.get());
            }
            if (last) {
                byte[] whole = message.toByteArray();
                message.reset();
                received.computeIfAbsent((int) whole[0], _ -> new ByteArrayOutputStream())
                        .write(whole, 1, whole.length - 1);
            }
            webSocket.request(1);
            return null;
        }

        @Override
        public @Nullable CompletionStage<?> onClose(WebSocket webSocket, int statusCode, String reason) {
            closed.countDown();
            return CompletableFuture.completedStage(null);
        }

        @Override
        public void onError(WebSocket webSocket, Throwable error) {
            closed.countDown();
        }
    }

    void send(int channel, byte[] content) {
        byte[] message = new byte[content.length + 1];
        message[0] = (byte) channel;
        System.arraycopy(content, 0, message, 1, content.length);
        var _ = socket.sendBinary(ByteBuffer.wrap(message), true).join();
    }

    /// Tells the other side that a stream has ended; only `v5.channel.k8s.io` knows that.
    void end(int channel) {
        send(255, new byte[] {(byte) channel});
    }

    String received(int channel) {
        ByteArrayOutputStream bytes = received.get(channel);
        return bytes == null ? "" : bytes.toString(UTF_8);
    }

    /// Waits until a stream has brought this text.
    void awaitText(int channel, String text) {
        await("stream %d brings %s".formatted(channel, text))
                .atMost(ChildNode.PATIENCE)
                .until(() -> received(channel), it -> it.contains(text));
    }

    void awaitClose() throws InterruptedException {
        if (!closed.await(ChildNode.PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
            throw new AssertionError("the other side did not close the connection");
        }
    }

    @Override
    public void close() {
        socket.abort();
    }
}
