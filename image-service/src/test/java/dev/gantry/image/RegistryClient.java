package dev.gantry.image;

import dev.gantry.cri.oci.Digest;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;

/// Pushes images of tests into a registry that takes them from anybody.
final class RegistryClient implements AutoCloseable {

    private final HttpClient http = HttpClient.newHttpClient();
    private final String base;

    RegistryClient(String host) {
        this.base = "http://" + host + "/v2/";
    }

    void push(String repository, String tag, TestImage image) throws IOException {
        for (var blob : image.blobs().entrySet()) {
            blob(repository, blob.getKey(), BodyPublishers.ofByteArray(blob.getValue()));
        }
        manifest(repository, image.digest().toString(), image.manifestType(), image.manifest());
        manifest(repository, tag, image.manifestType(), image.manifest());
    }

    void blob(String repository, Digest digest, Path file) throws IOException {
        blob(repository, digest, BodyPublishers.ofFile(file));
    }

    private void blob(String repository, Digest digest, BodyPublisher body) throws IOException {
        HttpResponse<String> begun = send(HttpRequest.newBuilder(URI.create(base + repository + "/blobs/uploads/"))
                .POST(BodyPublishers.noBody()));
        String location = begun.headers().firstValue("Location").orElseThrow();
        URI upload = URI.create(base).resolve(location);
        URI end = URI.create(upload + (upload.getQuery() == null ? "?" : "&") + "digest=" + digest);
        send(HttpRequest.newBuilder(end)
                .header("Content-Type", "application/octet-stream")
                .PUT(body));
    }

    void manifest(String repository, String target, String type, byte[] bytes) throws IOException {
        send(HttpRequest.newBuilder(URI.create(base + repository + "/manifests/" + target))
                .header("Content-Type", type)
                .PUT(BodyPublishers.ofByteArray(bytes)));
    }

    private HttpResponse<String> send(HttpRequest.Builder request) throws IOException {
        try {
            HttpResponse<String> response = http.send(request.build(), BodyHandlers.ofString());
            if (response.statusCode() >= 300) {
                throw new IOException("%s: %d %s".formatted(response.uri(), response.statusCode(), response.body()));
            }
            return response;
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        http.close();
    }
}
