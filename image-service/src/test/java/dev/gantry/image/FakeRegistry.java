package dev.gantry.image;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.gantry.cri.oci.Digest;
import dev.gantry.cri.oci.MediaTypes;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/// A registry that answers as a test wants it to: by default rightly, from memory.
final class FakeRegistry implements AutoCloseable {

    /// Answers a request, or returns false to have it answered rightly.
    @FunctionalInterface
    interface Misbehaviour {
        boolean answer(HttpExchange exchange) throws IOException;
    }

    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final Map<String, byte[]> blobs = new ConcurrentHashMap<>();
    private final Map<String, String> types = new ConcurrentHashMap<>();
    private final List<String> requests = new CopyOnWriteArrayList<>();
    private volatile Misbehaviour misbehaviour = _ -> false;

    FakeRegistry() throws IOException {
        this(0);
    }

    FakeRegistry(int port) throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
        server.setExecutor(threads);
        server.createContext("/", this::handle);
        server.start();
    }

    String host() {
        return "127.0.0.1:" + server.getAddress().getPort();
    }

    FakeRegistry misbehave(Misbehaviour how) {
        misbehaviour = how;
        return this;
    }

    /// `method path` of all requests so far, with `authorization` behind it where there was one.
    List<String> requests() {
        return requests;
    }

    void add(String tag, TestImage image) {
        image.blobs().forEach((digest, bytes) -> blobs.put(digest.toString(), bytes));
        manifest(tag, image.manifestType(), image.manifest());
    }

    void manifest(String tag, String type, byte[] bytes) {
        for (String target : List.of(tag, Digest.of(bytes).toString())) {
            blobs.put("manifest " + target, bytes);
            types.put("manifest " + target, type);
        }
    }

    void blob(Digest digest, byte[] bytes) {
        blobs.put(digest.toString(), bytes);
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            String authorization = exchange.getRequestHeaders().getFirst("Authorization");
            requests.add(exchange.getRequestMethod() + " " + exchange.getRequestURI()
                    + (authorization == null ? "" : " authorization " + authorization));
            if (!misbehaviour.answer(exchange)) {
                answer(exchange);
            }
        }
    }

    private void answer(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        String name = path.substring(path.lastIndexOf('/') + 1);
        String key = path.contains("/manifests/") ? "manifest " + name : name;
        byte[] bytes = blobs.get(key);
        if (bytes == null) {
            exchange.sendResponseHeaders(404, -1);
            return;
        }
        exchange.getResponseHeaders().set("Content-Type", types.getOrDefault(key, MediaTypes.OCI_LAYER));
        String range = exchange.getRequestHeaders().getFirst("Range");
        int offset = range == null ? 0 : Integer.parseInt(range.replaceAll("[^0-9]", ""));
        if (range != null) {
            exchange.getResponseHeaders()
                    .set("Content-Range", "bytes %d-%d/%d".formatted(offset, bytes.length - 1, bytes.length));
        }
        exchange.sendResponseHeaders(range == null ? 200 : 206, bytes.length - offset);
        exchange.getResponseBody().write(bytes, offset, bytes.length - offset);
    }

    static void reply(HttpExchange exchange, int status, String type, String body) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", type);
        exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
        exchange.getResponseBody().write(bytes);
    }

    static boolean isBlob(HttpExchange exchange) {
        return exchange.getRequestURI().getPath().contains("/blobs/");
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
