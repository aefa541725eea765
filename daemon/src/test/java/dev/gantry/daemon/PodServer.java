package dev.gantry.daemon;

import dev.gantry.linux.NetworkNamespaces;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;

/// Listens inside the network of a pod, on one of its loopback addresses, and sends back what it gets, each half of a
/// connection for itself.
final class PodServer implements AutoCloseable {

    private static final int PIECE = 64 << 10;

    private final ServerSocket listener;

    private PodServer(ServerSocket listener) {
        this.listener = listener;
    }

    static PodServer echo(ChildNode node, String pod, String address, int port) {
        Path namespace = node.state().resolve("netns").resolve(pod);
        PodServer server = new PodServer(NetworkNamespaces.call(namespace, () -> {
            ServerSocket socket = new ServerSocket();
            socket.bind(new InetSocketAddress(InetAddress.getByName(address), port));
            return socket;
        }));
        var _ = Thread.ofVirtual().start(server::serve);
        return server;
    }

    private void serve() {
        while (!listener.isClosed()) {
            try {
                Socket client = listener.accept();
                var _ = Thread.ofVirtual().start(() -> echo(client));
            } catch (IOException _) {
                return; // closed
            }
        }
    }

    private static void echo(Socket client) {
        try (client;
                InputStream in = client.getInputStream();
                OutputStream out = client.getOutputStream()) {
            byte[] buffer = new byte[PIECE];
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                out.write(buffer, 0, count);
            }
            client.shutdownOutput();
        } catch (IOException _) {
            // The client has reset the connection.
        }
    }

    @Override
    public void close() {
        try {
            listener.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
