package dev.gantry.runtime;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import java.util.ArrayList;
import java.util.List;

/// Port forwarding over WebSocket: one connection for each port that was named before, on two channels, an even one
/// for data and the next for errors. Each begins with the number of the port, in two bytes, the lower one first.
final class WebSocketPortForward implements WebSocketChannels.Service {

    private final WebSocketChannels channels;
    private final List<Integer> ports;
    private final List<PodConnection> connections = new ArrayList<>();
    private int open;

    WebSocketPortForward(Channel channel, WebSocketChannels channels, List<Integer> ports) {
        this.channels = channels;
        this.ports = ports;
        this.open = ports.size();
        for (int i = 0; i < ports.size(); i++) {
            connections.add(new PodConnection(channel, channels.reading(), new Client(2 * i)));
        }
    }

    void begin(PodDialer dialer, String sandbox) {
        for (int i = 0; i < ports.size(); i++) {
            int port = ports.get(i);
            for (int channel = 2 * i; channel <= 2 * i + 1; channel++) {
                var _ = channels.send(channel, Unpooled.buffer(2).writeShortLE(port));
            }
            connections.get(i).dial(dialer, sandbox, port);
        }
    }

    @Override
    public void message(int channel, ByteBuf bytes) {
        if (channel >= 0 && (channel & 1) == 0 && channel / 2 < connections.size()) {
            connections.get(channel / 2).data(bytes);
        } else {
            bytes.release();
        }
    }

    @Override
    public void gone() {
        connections.forEach(PodConnection::close);
    }

    private final class Client implements PodConnection.Client {

        private final int channel;

        Client(int channel) {
            this.channel = channel;
        }

        @Override
        public ChannelFuture send(ByteBuf bytes) {
            return channels.send(channel, bytes);
        }

        /// A channel has no end of its own.
        @Override
        public void end() {
            connections.get(channel / 2).close();
        }

        @Override
        public void over(String failure) {
            if (!failure.isEmpty()) {
                var _ = channels.send(channel + 1, PodConnection.text(failure));
            }
            open--;
            if (open == 0) {
                channels.close();
            }
        }
    }
}
