package dev.gantry.runtime;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.QueryStringDecoder;
import io.netty.handler.codec.http.websocketx.WebSocketDecoderConfig;
import io.netty.handler.codec.http.websocketx.WebSocketHandshakeException;
import io.netty.handler.codec.http.websocketx.WebSocketServerHandshaker;
import io.netty.handler.codec.http.websocketx.WebSocketServerHandshakerFactory;
import io.netty.util.concurrent.ScheduledFuture;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The HTTP request with which a stream begins: redeems the token of its path, agrees on a protocol, and hands the
/// connection over. One for each connection.
final class StreamingHandshake extends SimpleChannelInboundHandler<FullHttpRequest> {

    private static final Logger log = LoggerFactory.getLogger(StreamingHandshake.class);

    private static final String VERSION = "X-Stream-Protocol-Version";
    private static final String ACCEPTED = "X-Accepted-Stream-Protocol-Versions";
    private static final String SPDY = "SPDY/3.1";
    private static final String PORT_FORWARD = "portforward.k8s.io";
    private static final String TUNNEL = SPDY + "+" + PORT_FORWARD;
    private static final String PORTS = "v4.channel.k8s.io";
    private static final String PORTS_BASE64 = "v4.base64.channel.k8s.io";

    private static final int MAX_FRAME = 4 << 20;
    private static final int MAX_PORT = 65_535;
    private static final int MOST_PORTS = 100;
    private static final long REQUEST_SECONDS = 10;

    private final StreamTokens tokens;
    private final StreamSessions sessions;
    private @Nullable ScheduledFuture<?> late;

    StreamingHandshake(StreamTokens tokens, StreamSessions sessions) {
        this.tokens = tokens;
        this.sessions = sessions;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        late = context.executor().schedule(() -> close(context), REQUEST_SECONDS, TimeUnit.SECONDS);
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext context) {
        if (late != null) {
            late.cancel(false);
        }
    }

    /// A request that is refused; the client is told why.
    private static final class Refused extends Exception {
        private final HttpResponseStatus status;
        private final List<String> accepted;

        Refused(HttpResponseStatus status, String message, List<String> accepted) {
            super(message, null, false, false);
            this.status = status;
            this.accepted = accepted;
        }

        Refused(HttpResponseStatus status, String message) {
            this(status, message, List.of());
        }
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) {
        try {
            if (!request.decoderResult().isSuccess()) {
                throw new Refused(HttpResponseStatus.BAD_REQUEST, "not a request for a stream");
            }
            if (!request.method().equals(HttpMethod.GET) && !request.method().equals(HttpMethod.POST)) {
                throw new Refused(HttpResponseStatus.METHOD_NOT_ALLOWED, "streams are asked for by GET or POST");
            }
            if (isUpgradeTo(request, HttpHeaderValues.WEBSOCKET.toString())) {
                webSocket(context, request);
            } else if (isUpgradeTo(request, SPDY)) {
                spdy(context, request);
            } else {
                throw new Refused(HttpResponseStatus.BAD_REQUEST, "a stream needs an upgrade to SPDY/3.1 or WebSocket");
            }
        } catch (Refused e) {
            refuse(context, e);
        }
    }

    private static boolean isUpgradeTo(FullHttpRequest request, String protocol) {
        return request.headers().containsValue(HttpHeaderNames.CONNECTION, HttpHeaderValues.UPGRADE, true)
                && request.headers().containsValue(HttpHeaderNames.UPGRADE, protocol, true);
    }

    /// The request behind the path, which is then used up: call it last.
    private StreamRequest redeem(FullHttpRequest request, String kind) throws Refused {
        String[] path = path(request);
        return tokens.redeem(path[1])
                .filter(it -> it.path().equals(kind))
                .orElseThrow(() -> new Refused(
                        HttpResponseStatus.NOT_FOUND,
                        "this address was used before or is too old: ask the runtime for another"));
    }

    private static String[] path(FullHttpRequest request) throws Refused {
        String[] parts = new QueryStringDecoder(request.uri()).path().split("/", -1);
        if (parts.length != 3 || !parts[0].isEmpty() || parts[2].isEmpty()) {
            throw new Refused(HttpResponseStatus.NOT_FOUND, "no stream has this address");
        }
        return new String[] {parts[1], parts[2]};
    }

    private static List<String> names(FullHttpRequest request, CharSequence header) {
        return request.headers().getAll(header).stream()
                .flatMap(it -> Arrays.stream(it.split(",", -1)))
                .map(String::strip)
                .filter(it -> !it.isEmpty())
                .toList();
    }

    private void spdy(ChannelHandlerContext context, FullHttpRequest request) throws Refused {
        String kind = path(request)[0];
        List<String> wanted = names(request, VERSION);
        if (kind.equals("portforward")) {
            if (!wanted.isEmpty() && !wanted.contains(PORT_FORWARD)) {
                throw new Refused(HttpResponseStatus.FORBIDDEN, "no such protocol", List.of(PORT_FORWARD));
            }
            StreamRequest redeemed = redeem(request, kind);
            spdy(context, wanted.isEmpty() ? "" : PORT_FORWARD, it -> sessions.portForward(it, redeemed));
            return;
        }
        CommandProtocol protocol = CommandProtocol.choose(wanted, CommandProtocol.SPDY)
                .orElseThrow(() -> new Refused(
                        HttpResponseStatus.FORBIDDEN,
                        "no such protocol",
                        CommandProtocol.SPDY.stream().map(CommandProtocol::name).toList()));
        StreamRequest redeemed = redeem(request, kind);
        spdy(context, protocol.name(), it -> sessions.command(it, redeemed, protocol));
    }

    private void spdy(ChannelHandlerContext context, String protocol, Consumer<ChannelHandlerContext> next) {
        FullHttpResponse response =
                new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.SWITCHING_PROTOCOLS);
        response.headers().set(HttpHeaderNames.CONNECTION, "Upgrade").set(HttpHeaderNames.UPGRADE, SPDY);
        if (!protocol.isEmpty()) {
            response.headers().set(VERSION, protocol);
        }
        var _ = context.writeAndFlush(response);
        next.accept(context);
        // The request's remains go up to the new handlers when these leave.
        context.pipeline().remove(HttpObjectAggregator.class);
        context.pipeline().remove(HttpServerCodec.class);
        context.pipeline().remove(this);
    }

    private void webSocket(ChannelHandlerContext context, FullHttpRequest request) throws Refused {
        String kind = path(request)[0];
        List<String> wanted = names(request, HttpHeaderNames.SEC_WEBSOCKET_PROTOCOL);
        if (kind.equals("portforward")) {
            webSocketPorts(context, request, wanted);
            return;
        }
        CommandProtocol protocol = CommandProtocol.choose(wanted, CommandProtocol.WEB_SOCKET)
                .orElseThrow(() -> new Refused(HttpResponseStatus.BAD_REQUEST, "no such protocol"));
        StreamRequest redeemed = redeem(request, kind);
        upgrade(context, request, protocol.name(), it -> sessions.webSocketCommand(it, redeemed, protocol));
    }

    private void webSocketPorts(ChannelHandlerContext context, FullHttpRequest request, List<String> wanted)
            throws Refused {
        String protocol = wanted.stream()
                .filter(List.of(TUNNEL, PORTS, PORTS_BASE64)::contains)
                .findFirst()
                .or(() -> wanted.isEmpty() ? Optional.of("") : Optional.empty())
                .orElseThrow(() -> new Refused(HttpResponseStatus.BAD_REQUEST, "no such protocol"));
        if (protocol.equals(TUNNEL)) {
            StreamRequest redeemed = redeem(request, "portforward");
            upgrade(context, request, protocol, it -> {
                it.pipeline().addLast(new WebSocketTunnel());
                sessions.portForward(it, redeemed);
            });
            return;
        }
        List<Integer> ports = ports(request);
        StreamRequest redeemed = redeem(request, "portforward");
        upgrade(
                context,
                request,
                protocol,
                it -> sessions.webSocketPortForward(it, redeemed, ports, protocol.equals(PORTS_BASE64)));
    }

    /// Of `?port=80&port=443` or `?port=80,443`.
    private static List<Integer> ports(FullHttpRequest request) throws Refused {
        List<String> given = new QueryStringDecoder(request.uri()).parameters().getOrDefault("port", List.of());
        try {
            List<Integer> ports = given.stream()
                    .flatMap(it -> Arrays.stream(it.split(",", -1)))
                    .map(Integer::valueOf)
                    .toList();
            if (ports.size() <= MOST_PORTS && ports.stream().allMatch(it -> it >= 1 && it <= MAX_PORT)) {
                return ports;
            }
        } catch (NumberFormatException _) {
            // told below
        }
        throw new Refused(HttpResponseStatus.BAD_REQUEST, "port must be a number from 1 to 65535");
    }

    private void upgrade(
            ChannelHandlerContext context,
            FullHttpRequest request,
            String protocol,
            Consumer<ChannelHandlerContext> next)
            throws Refused {
        WebSocketServerHandshaker handshaker = new WebSocketServerHandshakerFactory(
                        "",
                        protocol.isEmpty() ? null : protocol,
                        WebSocketDecoderConfig.newBuilder()
                                .maxFramePayloadLength(MAX_FRAME)
                                .withUTF8Validator(false)
                                .build())
                .newHandshaker(request);
        if (handshaker == null) {
            throw new Refused(HttpResponseStatus.UPGRADE_REQUIRED, "only version 13 of WebSocket is known");
        }
        try {
            var _ = handshaker.handshake(context.channel(), request);
            next.accept(context);
            context.pipeline().remove(this);
        } catch (WebSocketHandshakeException e) {
            throw new Refused(HttpResponseStatus.BAD_REQUEST, String.valueOf(e.getMessage()));
        }
    }

    private static void refuse(ChannelHandlerContext context, Refused refused) {
        FullHttpResponse response = new DefaultFullHttpResponse(
                HttpVersion.HTTP_1_1,
                refused.status,
                Unpooled.copiedBuffer(refused.getMessage() + "\n", StandardCharsets.UTF_8));
        response.headers()
                .set(HttpHeaderNames.CONTENT_TYPE, "text/plain; charset=utf-8")
                .set(HttpHeaderNames.CONTENT_LENGTH, response.content().readableBytes())
                .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        refused.accepted.forEach(it -> response.headers().add(ACCEPTED, it));
        var _ = context.writeAndFlush(response).addListener(ChannelFutureListener.CLOSE);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        log.atDebug().setCause(cause).log("a client's request for a stream failed");
        close(context);
    }

    private static void close(ChannelHandlerContext context) {
        var _ = context.close();
    }
}
