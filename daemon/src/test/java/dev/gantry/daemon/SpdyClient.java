package dev.gantry.daemon;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.spdy.DefaultSpdyDataFrame;
import io.netty.handler.codec.spdy.DefaultSpdyPingFrame;
import io.netty.handler.codec.spdy.DefaultSpdyRstStreamFrame;
import io.netty.handler.codec.spdy.DefaultSpdySynStreamFrame;
import io.netty.handler.codec.spdy.SpdyDataFrame;
import io.netty.handler.codec.spdy.SpdyFrameCodec;
import io.netty.handler.codec.spdy.SpdyPingFrame;
import io.netty.handler.codec.spdy.SpdyRstStreamFrame;
import io.netty.handler.codec.spdy.SpdyStreamStatus;
import io.netty.handler.codec.spdy.SpdySynReplyFrame;
import io.netty.handler.codec.spdy.SpdyVersion;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/// A client of a stream over SPDY that reads when it is told to. One thread may read while another one sends.
final class SpdyClient implements Closeable {

    private static final int PIECE = 64 << 10;

    /// What the frames travel over.
    interface Transport extends Closeable {
        void write(byte[] bytes) throws IOException;

        /// Waits for bytes; none means the end.
        byte[] read() throws IOException;
    }

    /// What has come on a stream.
    static final class Received {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        private @Nullable MessageDigest digest;
        private long count;
        private boolean ended;

        String text() {
            return bytes.toString(UTF_8);
        }

        byte[] bytes() {
            return bytes.toByteArray();
        }

        long count() {
            return count;
        }

        boolean ended() {
            return ended;
        }

        /// Keeps no bytes, but their number and digest.
        void digestOnly() throws NoSuchAlgorithmException {
            digest = MessageDigest.getInstance("SHA-256");
        }

        String digest() {
            return HexFormat.of().formatHex(Objects.requireNonNull(digest).digest());
        }

        private void add(byte[] more) {
            count += more.length;
            if (digest != null) {
                digest.update(more);
            } else {
                bytes.writeBytes(more);
            }
        }
    }

    private final Transport transport;
    private final EmbeddedChannel encoder = new EmbeddedChannel(new SpdyFrameCodec(SpdyVersion.SPDY_3_1));
    private final EmbeddedChannel decoder = new EmbeddedChannel(
            new SpdyFrameCodec(SpdyVersion.SPDY_3_1, PIECE, PIECE, 6, 15, 8), new SimpleChannelInboundHandler<>() {
                @Override
                protected void channelRead0(ChannelHandlerContext context, Object frame) {
                    take(frame);
                }
            });
    private final Map<Integer, Received> streams = new HashMap<>();
    private final Set<Integer> replied = new HashSet<>();
    private final Set<Integer> refused = new HashSet<>();
    private int next = 1;

    SpdyClient(Transport transport) {
        this.transport = transport;
    }

    /// Over a connection of its own.
    static SpdyClient connect(String url, String... protocols) throws IOException {
        StreamSocket stream = StreamSocket.spdy(url, List.of(protocols));
        assertThat(stream.status()).as(stream.answer()).isEqualTo(101);
        return new SpdyClient(new Transport() {
            @Override
            public void write(byte[] bytes) throws IOException {
                stream.socket().getOutputStream().write(bytes);
            }

            @Override
            public byte[] read() throws IOException {
                byte[] buffer = new byte[PIECE];
                int count = stream.socket().getInputStream().read(buffer);
                return count < 0 ? new byte[0] : Arrays.copyOf(buffer, count);
            }

            @Override
            public void close() throws IOException {
                stream.abort();
            }
        });
    }

    /// Opens a stream and waits until the server has accepted it.
    int open(Map<String, String> headers) throws IOException {
        int id = next;
        next += 2;
        streams.put(id, new Received());
        var frame = new DefaultSpdySynStreamFrame(id, 0, (byte) 0);
        headers.forEach((name, value) -> frame.headers().set(name, value));
        send(frame);
        readUntil(() -> replied.contains(id) || refused.contains(id));
        return id;
    }

    /// A stream of an exec or attach.
    int open(String type) throws IOException {
        return open(Map.of("streamtype", type));
    }

    boolean isRefused(int id) {
        return refused.contains(id);
    }

    Received received(int id) {
        return Objects.requireNonNull(streams.get(id), () -> "no stream " + id);
    }

    void send(int id, byte[] bytes) throws IOException {
        send(new DefaultSpdyDataFrame(id, Unpooled.wrappedBuffer(bytes)));
    }

    void send(int id, String text) throws IOException {
        send(id, text.getBytes(UTF_8));
    }

    /// The client's half of the stream is over.
    void end(int id) throws IOException {
        send(new DefaultSpdyDataFrame(id).setLast(true));
    }

    void reset(int id) throws IOException {
        send(new DefaultSpdyRstStreamFrame(id, SpdyStreamStatus.CANCEL));
    }

    /// Something that the server answers and nobody cares for.
    void ping() throws IOException {
        send(new DefaultSpdyPingFrame(1));
    }

    /// Says that it is there until the server has closed the connection.
    void keepPinging() {
        try {
            while (true) {
                ping();
                Thread.sleep(500);
            }
        } catch (IOException | InterruptedException _) {
            // closed
        }
    }

    private synchronized void send(Object frame) throws IOException {
        encoder.writeOutbound(frame);
        for (ByteBuf out = encoder.readOutbound(); out != null; out = encoder.readOutbound()) {
            transport.write(ByteBufUtil.getBytes(out));
            out.release();
        }
    }

    void readUntil(BooleanSupplier done) throws IOException {
        while (!done.getAsBoolean()) {
            byte[] bytes = transport.read();
            if (bytes.length == 0) {
                throw new EOFException("the server closed the connection");
            }
            decoder.writeInbound(Unpooled.wrappedBuffer(bytes));
        }
    }

    private void take(Object frame) {
        switch (frame) {
            case SpdySynReplyFrame reply -> replied.add(reply.streamId());
            case SpdyRstStreamFrame reset -> refused.add(reset.streamId());
            case SpdyDataFrame data -> {
                Received to = received(data.streamId());
                to.add(ByteBufUtil.getBytes(data.content()));
                to.ended |= data.isLast();
            }
            case SpdyPingFrame ping when (ping.id() & 1) == 0 -> answer(ping);
            default -> {
                // answers to pings and the like
            }
        }
    }

    private void answer(SpdyPingFrame ping) {
        try {
            send(ping);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Waits for the server to close the connection.
    void readToTheEnd() throws IOException {
        for (byte[] bytes = transport.read(); bytes.length > 0; bytes = transport.read()) {
            decoder.writeInbound(Unpooled.wrappedBuffer(bytes));
        }
    }

    /// Waits for the end of a stream and tells all that came on it.
    String readAll(int id) throws IOException {
        readUntil(() -> received(id).ended());
        return received(id).text();
    }

    /// Ends the connection as a client does that is killed.
    @Override
    public void close() throws IOException {
        transport.close();
        var _ = encoder.close();
        var _ = decoder.close();
    }
}
