package dev.gantry.runtime;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.handler.codec.spdy.SpdyHeaders;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Port forwarding over SPDY: for each connection the client opens two streams, one for data and one for errors, which
/// a request id holds together.
final class SpdyPortForward implements SpdyConnection.Service {

    private static final Logger log = LoggerFactory.getLogger(SpdyPortForward.class);

    /// Of one client, at the same time.
    private static final int MOST_PAIRS = 256;
    private static final long PAIRING_SECONDS = 30;
    private static final int MAX_PORT = 65_535;

    private final Channel channel;
    private final SpdyConnection connection;
    private final PodDialer dialer;
    private final String sandbox;
    private final Map<String, Pair> pairs = new HashMap<>();

    SpdyPortForward(Channel channel, SpdyConnection connection, PodDialer dialer, String sandbox) {
        this.channel = channel;
        this.connection = connection;
        this.dialer = dialer;
        this.sandbox = sandbox;
    }

    @Override
    public SpdyConnection.@Nullable Stream opened(int id, SpdyHeaders headers) {
        String type = headers.getAsString("streamtype");
        boolean error = "error".equals(type);
        int port = port(headers.getAsString("port"));
        if (port < 0 || (!error && !"data".equals(type))) {
            return null;
        }
        String request = request(id, error, headers.getAsString("requestid"));
        Pair pair = pairs.get(request);
        if (pair == null && pairs.size() >= MOST_PAIRS) {
            log.debug("a client forwards too many connections at once");
            return null;
        }
        if (pair == null) {
            pair = new Pair(request, port);
            pairs.put(request, pair);
        }
        return pair.add(id, error);
    }

    private static int port(@Nullable String header) {
        try {
            int port = Integer.parseInt(String.valueOf(header));
            return port >= 1 && port <= MAX_PORT ? port : -1;
        } catch (NumberFormatException _) {
            return -1;
        }
    }

    /// Old clients give none, and open the two streams one right after the other, errors first.
    private static String request(int id, boolean error, @Nullable String header) {
        return header == null ? "stream " + (error ? id : id - 2) : header;
    }

    @Override
    public void gone() {
        List.copyOf(pairs.values()).forEach(Pair::close);
    }

    /// The two streams of a connection.
    private final class Pair implements PodConnection.Client {

        private final String request;
        private final int port;
        private final PodConnection pod = new PodConnection(channel, connection.reading(), this);
        private final ScheduledFuture<?> late;
        private @Nullable Integer error;
        private @Nullable Integer data;
        private boolean ended;

        Pair(String request, int port) {
            this.request = request;
            this.port = port;
            this.late = channel.eventLoop().schedule(this::late, PAIRING_SECONDS, TimeUnit.SECONDS);
        }

        SpdyConnection.@Nullable Stream add(int id, boolean isError) {
            if ((isError ? error : data) != null) {
                return null;
            }
            if (isError) {
                error = id;
            } else {
                data = id;
            }
            if (error != null && data != null) {
                late.cancel(false);
                pod.dial(dialer, sandbox, port);
            }
            return isError ? new Errors() : new Data();
        }

        private void late() {
            log.debug("a client opened one stream of a connection and not the other");
            pod.close();
        }

        void close() {
            late.cancel(false);
            pod.close();
        }

        @Override
        public ChannelFuture send(ByteBuf bytes) {
            if (data == null) {
                throw new IllegalStateException("no stream for data");
            }
            return connection.send(data, bytes);
        }

        @Override
        public void end() {
            if (data != null && !ended) {
                ended = true;
                connection.end(data);
            }
        }

        @Override
        public void over(String failure) {
            pairs.remove(request);
            if (!channel.isActive()) {
                return;
            }
            if (error != null) {
                if (!failure.isEmpty()) {
                    var _ = connection.send(error, PodConnection.text(failure));
                }
                connection.end(error);
            }
            end();
        }

        /// The client has nothing to say here.
        private static final class Errors implements SpdyConnection.Stream {
            @Override
            public void data(ByteBuf bytes) {
                bytes.release();
            }

            @Override
            public void ended() {}

            @Override
            public void reset() {}
        }

        private final class Data implements SpdyConnection.Stream {
            @Override
            public void data(ByteBuf bytes) {
                pod.data(bytes);
            }

            @Override
            public void ended() {
                pod.ended();
            }

            @Override
            public void reset() {
                ended = true;
                pod.close();
            }
        }
    }
}
