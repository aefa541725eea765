package dev.gantry.daemon;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// A client of a stream over WebSocket, with channels in messages.
final class WebSocketClient implements WebSocket.Listener, Closeable {

    /// What comes after the last message.
    private static final byte[] END = new byte[0];

    private final HttpClient http = HttpClient.newHttpClient();
    private final BlockingQueue<byte[]> messages = new LinkedBlockingQueue<>();
    private final ByteArrayOutputStream unfinished = new ByteArrayOutputStream();
    private final StringBuilder unfinishedText = new StringBuilder();
    private final boolean base64;
    private final boolean reads;
    private final Pauses pauses;
    private final WebSocket socket;

    /// How a client slows itself down.
    ///
    /// @param bytes of data between two pauses
    private record Pauses(int bytes, long millis) {
        static final Pauses NONE = new Pauses(Integer.MAX_VALUE, 0);
    }

    /// Since the last pause.
    private int taken;

    /// @param protocol empty for none
    WebSocketClient(String url, String protocol) {
        this(url, protocol, true, Pauses.NONE);
    }

    /// One that does not read before [#read].
    static WebSocketClient idle(String url, String protocol) {
        return new WebSocketClient(url, protocol, false, Pauses.NONE);
    }

    /// One that reads nothing for a while after each so many bytes.
    static WebSocketClient slow(String url, String protocol, int bytes, long pauseMillis) {
        return new WebSocketClient(url, protocol, true, new Pauses(bytes, pauseMillis));
    }

    private WebSocketClient(String url, String protocol, boolean reads, Pauses pauses) {
        this.reads = reads;
        this.pauses = pauses;
        this.base64 = protocol.contains("base64");
        WebSocket.Builder builder = http.newWebSocketBuilder();
        if (!protocol.isEmpty()) {
            builder.subprotocols(protocol);
        }
        this.socket = builder.buildAsync(URI.create(url.replaceFirst("http", "ws")), this)
                .join();
    }

    String protocol() {
        return socket.getSubprotocol();
    }

    void send(int channel, byte[] bytes) {
        if (base64) {
            socket.sendText((char) ('0' + channel) + Base64.getEncoder().encodeToString(bytes), true)
                    .join();
        } else {
            byte[] message = new byte[bytes.length + 1];
            message[0] = (byte) channel;
            System.arraycopy(bytes, 0, message, 1, bytes.length);
            sendRaw(message);
        }
    }

    /// Something that the server answers and nobody cares for.
    void ping() {
        socket.sendPing(ByteBuffer.allocate(0)).join();
    }

    void read() {
        socket.request(1);
    }

    void send(int channel, String text) {
        send(channel, text.getBytes(UTF_8));
    }

    void sendRaw(byte[] message) {
        socket.sendBinary(ByteBuffer.wrap(message), true).join();
    }

    /// Ends a channel, as version 5 can.
    void end(int channel) {
        sendRaw(new byte[] {(byte) 255, (byte) channel});
    }

    /// The next message, empty at the end.
    byte[] next() throws InterruptedException {
        byte[] message = messages.poll(ChildNode.PATIENCE.toSeconds(), TimeUnit.SECONDS);
        if (message == null) {
            throw new AssertionError("no message came");
        }
        return message;
    }

    /// All that comes on a channel until the server closes the connection.
    String readAll(int channel) throws InterruptedException {
        return readUntil(channel, null);
    }

    /// As [#readAll], but no further than to this text.
    String readUntil(int channel, @Nullable String wanted) throws InterruptedException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] message = next(); message.length > 0; message = next()) {
            if (message[0] == channel) {
                all.write(message, 1, message.length - 1);
            }
            if (wanted != null && all.toString(UTF_8).contains(wanted)) {
                break;
            }
        }
        return all.toString(UTF_8);
    }

    @Override
    public void onOpen(WebSocket webSocket) {
        if (reads) {
            webSocket.request(1);
        }
    }

    @Override
    public CompletionStage<?> onBinary(WebSocket webSocket, ByteBuffer data, boolean last) {
        byte[] part = new byte[data.remaining()];
        data.get(part);
        unfinished.writeBytes(part);
        if (last) {
            messages.add(unfinished.toByteArray());
            unfinished.reset();
        }
        taken += part.length;
        if (taken >= pauses.bytes()) {
            taken = 0;
            CompletableFuture.delayedExecutor(pauses.millis(), TimeUnit.MILLISECONDS)
                    .execute(() -> webSocket.request(1));
        } else {
            webSocket.request(1);
        }
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public CompletionStage<?> onText(WebSocket webSocket, CharSequence data, boolean last) {
        unfinishedText.append(data);
        if (last) {
            byte[] bytes = Base64.getDecoder().decode(unfinishedText.substring(1));
            byte[] message = new byte[bytes.length + 1];
            message[0] = (byte) (unfinishedText.charAt(0) - '0');
            System.arraycopy(bytes, 0, message, 1, bytes.length);
            messages.add(message);
            unfinishedText.setLength(0);
        }
        webSocket.request(1);
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public CompletionStage<?> onClose(WebSocket webSocket, int status, String reason) {
        messages.add(END);
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public void onError(WebSocket webSocket, Throwable error) {
        messages.add(END);
    }

    @Override
    public void close() {
        socket.abort();
        http.shutdownNow();
    }
}
