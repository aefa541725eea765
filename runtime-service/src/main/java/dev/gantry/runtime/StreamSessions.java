package dev.gantry.runtime;

import io.netty.channel.ChannelHandlerContext;
import java.util.List;
import java.util.concurrent.Executor;

/// Serves connections on which a protocol has been agreed.
final class StreamSessions {

    private final Containers containers;
    private final Execs execs;
    private final PodDialer dialer;
    private final Executor worker;

    StreamSessions(Containers containers, Execs execs, PodDialer dialer, Executor worker) {
        this.containers = containers;
        this.execs = execs;
        this.dialer = dialer;
        this.worker = worker;
    }

    /// Puts handlers for an exec or attach over SPDY at the end of the pipeline.
    void command(ChannelHandlerContext context, StreamRequest redeemed, CommandProtocol protocol) {
        StreamRequest.Command request = (StreamRequest.Command) redeemed;
        var _ = new SpdyConnection(
                context,
                connection -> new SpdyCommand(context.channel(), connection, protocol, request, sessions(request)));
    }

    void webSocketCommand(ChannelHandlerContext context, StreamRequest redeemed, CommandProtocol protocol) {
        StreamRequest.Command request = (StreamRequest.Command) redeemed;
        var _ = new WebSocketChannels(context, protocol.base64(), channels -> {
            WebSocketCommand command =
                    new WebSocketCommand(context.channel(), channels, protocol, request, sessions(request));
            context.executor().execute(command::begin);
            return command;
        });
    }

    private CommandSession.Factory sessions(StreamRequest.Command request) {
        CommandTarget target = switch (request) {
            case StreamRequest.Exec exec -> new CommandTarget.Exec(containers, execs, exec);
            case StreamRequest.Attach attach -> new CommandTarget.Attach(containers, attach);
        };
        return (channel, client, reading) -> new CommandSession(channel, client, target, reading, worker);
    }

    /// Puts handlers for port forwarding over SPDY at the end of the pipeline.
    void portForward(ChannelHandlerContext context, StreamRequest redeemed) {
        StreamRequest.PortForward request = (StreamRequest.PortForward) redeemed;
        var _ = new SpdyConnection(
                context, connection -> new SpdyPortForward(context.channel(), connection, dialer, request.sandbox()));
    }

    /// @param ports empty for those of the request
    void webSocketPortForward(
            ChannelHandlerContext context, StreamRequest redeemed, List<Integer> ports, boolean base64) {
        StreamRequest.PortForward request = (StreamRequest.PortForward) redeemed;
        var _ = new WebSocketChannels(context, base64, channels -> {
            WebSocketPortForward forward =
                    new WebSocketPortForward(context.channel(), channels, ports.isEmpty() ? request.ports() : ports);
            context.executor().execute(() -> forward.begin(dialer, request.sandbox()));
            return forward;
        });
    }
}
