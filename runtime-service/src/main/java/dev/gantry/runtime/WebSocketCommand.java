package dev.gantry.runtime;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;

/// An exec or attach over WebSocket: all channels are there from the start.
final class WebSocketCommand implements WebSocketChannels.Service, CommandClient {

    private static final int STDIN = 0;
    private static final int STDOUT = 1;
    private static final int STDERR = 2;
    private static final int ERROR = 3;
    private static final int RESIZE = 4;

    private static final int FIRST_WITH_CLOSE = 5;

    private final WebSocketChannels channels;
    private final CommandProtocol protocol;
    private final StreamRequest.Command request;
    private final CommandSession session;
    private final TerminalSizes sizes;

    WebSocketCommand(
            Channel channel,
            WebSocketChannels channels,
            CommandProtocol protocol,
            StreamRequest.Command request,
            CommandSession.Factory sessions) {
        this.channels = channels;
        this.protocol = protocol;
        this.request = request;
        this.session = sessions.session(channel, this, channels.reading());
        this.sizes = new TerminalSizes(session::resize);
    }

    /// Begins at once; clients expect an empty message as a sign that it does.
    void begin() {
        ProcessIo.Wanted streams = request.streams();
        int first = streams.stdout() ? STDOUT : streams.stderr() ? STDERR : ERROR;
        var _ = channels.send(first, Unpooled.EMPTY_BUFFER);
        session.begin();
    }

    @Override
    public void message(int channel, ByteBuf bytes) {
        switch (channel) {
            case STDIN -> session.input(bytes);
            case RESIZE -> sizes.add(bytes);
            case WebSocketChannels.CLOSE -> close(bytes);
            default -> bytes.release();
        }
    }

    private void close(ByteBuf bytes) {
        try {
            if (protocol.version() >= FIRST_WITH_CLOSE && bytes.isReadable() && bytes.readUnsignedByte() == STDIN) {
                session.inputEnded();
            }
        } finally {
            bytes.release();
        }
    }

    @Override
    public void gone() {
        session.gone();
    }

    @Override
    public ChannelFuture send(LogStream stream, ByteBuf bytes) {
        return channels.send(
                switch (stream) {
                    case STDOUT -> STDOUT;
                    case STDERR -> STDERR;
                },
                bytes);
    }

    @Override
    public void end(LogStream stream) {
        // A WebSocket's channels end with it.
    }

    @Override
    public void finish(CommandOutcome outcome) {
        byte[] message = protocol.encode(outcome);
        if (message.length > 0) {
            var _ = channels.send(ERROR, Unpooled.wrappedBuffer(message));
        }
        channels.close();
    }
}
