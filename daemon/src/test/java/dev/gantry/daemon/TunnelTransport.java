package dev.gantry.daemon;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.websocketx.BinaryWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocket13FrameDecoder;
import io.netty.handler.codec.http.websocketx.WebSocket13FrameEncoder;
import io.netty.util.ReferenceCountUtil;
import java.io.ByteArrayOutputStream;
import java.io.IOException;

/// Carries SPDY in the binary messages of a WebSocket. The JDK's client refuses the name of that protocol, which has a
/// slash in it.
final class TunnelTransport implements SpdyClient.Transport {

    private static final int PIECE = 64 << 10;

    private final StreamSocket socket;
    private final EmbeddedChannel encoder = new EmbeddedChannel(new WebSocket13FrameEncoder(true));
    private final EmbeddedChannel decoder = new EmbeddedChannel(new WebSocket13FrameDecoder(false, false, PIECE << 4));

    TunnelTransport(StreamSocket socket) {
        this.socket = socket;
    }

    @Override
    public void write(byte[] bytes) throws IOException {
        encoder.writeOutbound(new BinaryWebSocketFrame(Unpooled.wrappedBuffer(bytes)));
        for (ByteBuf out = encoder.readOutbound(); out != null; out = encoder.readOutbound()) {
            socket.socket().getOutputStream().write(ByteBufUtil.getBytes(out));
            out.release();
        }
    }

    @Override
    public byte[] read() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        byte[] buffer = new byte[PIECE];
        while (bytes.size() == 0) {
            int count = socket.socket().getInputStream().read(buffer);
            if (count < 0) {
                break;
            }
            decoder.writeInbound(Unpooled.copiedBuffer(buffer, 0, count));
            for (Object frame = decoder.readInbound(); frame != null; frame = decoder.readInbound()) {
                if (frame instanceof BinaryWebSocketFrame binary) {
                    bytes.writeBytes(ByteBufUtil.getBytes(binary.content()));
                }
                ReferenceCountUtil.release(frame);
            }
        }
        return bytes.toByteArray();
    }

    @Override
    public void close() throws IOException {
        socket.abort();
        var _ = encoder.close();
        var _ = decoder.close();
    }
}
