package dev.gantry.daemon;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.URI;
import java.util.List;
import javax.net.SocketFactory;
import javax.net.ssl.SSLSocketFactory;

/// A plain connection to an address that the runtime gave out, upgraded by hand.
///
/// @param answer head of the HTTP answer
record StreamSocket(Socket socket, String answer) implements Closeable {

    private static final int PATIENCE = (int) ChildNode.PATIENCE.toMillis();

    /// Asks for an upgrade to SPDY, whatever the answer is.
    static StreamSocket spdy(String url, List<String> protocols) throws IOException {
        StringBuilder headers = new StringBuilder("Upgrade: SPDY/3.1\r\nContent-Length: 0\r\n");
        protocols.forEach(
                it -> headers.append("X-Stream-Protocol-Version: ").append(it).append("\r\n"));
        return ask("POST", url, headers.toString());
    }

    /// The same for WebSocket.
    static StreamSocket webSocket(String url, String protocol) throws IOException {
        return ask(
                "GET",
                url,
                "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
                        + "Sec-WebSocket-Protocol: " + protocol + "\r\n");
    }

    private static StreamSocket ask(String method, String url, String headers) throws IOException {
        URI uri = URI.create(url);
        SocketFactory sockets =
                uri.getScheme().equals("https") ? SSLSocketFactory.getDefault() : SocketFactory.getDefault();
        Socket socket = sockets.createSocket(uri.getHost(), uri.getPort());
        socket.setSoTimeout(PATIENCE);
        String request = "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\n%s\r\n"
                .formatted(method, uri.getRawPath(), uri.getAuthority(), headers);
        socket.getOutputStream().write(request.getBytes(US_ASCII));
        return new StreamSocket(socket, head(socket.getInputStream()));
    }

    private static String head(InputStream in) throws IOException {
        ByteArrayOutputStream head = new ByteArrayOutputStream();
        while (!head.toString(US_ASCII).endsWith("\r\n\r\n")) {
            int next = in.read();
            if (next < 0) {
                throw new EOFException("no answer, but: " + head.toString(US_ASCII));
            }
            head.write(next);
        }
        return head.toString(US_ASCII);
    }

    int status() {
        return Integer.parseInt(answer.substring(9, 12));
    }

    /// Ends it as a client does that is killed.
    void abort() throws IOException {
        socket.setSoLinger(true, 0);
        socket.close();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
