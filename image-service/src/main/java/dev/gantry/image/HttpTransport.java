package dev.gantry.image;

import dev.gantry.image.Endpoint.Tls;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Redirect;
import java.net.http.HttpClient.Version;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// Sends requests and hands back the answers, whatever their status: no redirect is followed and no credential added
/// here. Clients are made when first needed, one for each way of TLS and dial timeout.
final class HttpTransport implements AutoCloseable {

    private static final int THREADS = 3;
    private static final int IDLE_SECONDS = 20;

    private final Duration answerPatience;
    private final Duration bodyPatience;
    private final Map<ClientKind, HttpClient> clients = new ConcurrentHashMap<>();
    private final ThreadPoolExecutor threads;

    private record ClientKind(Tls tls, Duration dialTimeout) {}

    /// An answer whose body is still arriving. Closing it gives the connection back or breaks it off.
    record Answer(URI uri, int status, HttpHeaders headers, BodyStream body) implements AutoCloseable {

        Optional<String> header(String name) {
            return headers.firstValue(name);
        }

        @Override
        public void close() {
            body.drain();
        }
    }

    /// @param answerPatience how long to wait for the first byte of an answer
    /// @param bodyPatience how long a body may pause
    HttpTransport(Duration answerPatience, Duration bodyPatience) {
        this.answerPatience = answerPatience;
        this.bodyPatience = bodyPatience;
        this.threads = new ThreadPoolExecutor(
                THREADS,
                THREADS,
                IDLE_SECONDS,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(),
                Thread.ofPlatform().name("registry-http-", 0).daemon().factory());
        threads.allowCoreThreadTimeOut(true);
    }

    Answer get(Endpoint endpoint, URI uri, Map<String, List<String>> headers) throws IOException {
        return send(endpoint, request(uri, headers).GET().build());
    }

    Answer postForm(Endpoint endpoint, URI uri, String form) throws IOException {
        Map<String, List<String>> headers = Map.of("Content-Type", List.of("application/x-www-form-urlencoded"));
        return send(
                endpoint,
                request(uri, headers).POST(BodyPublishers.ofString(form)).build());
    }

    private static HttpRequest.Builder request(URI uri, Map<String, List<String>> headers) {
        HttpRequest.Builder request = HttpRequest.newBuilder(uri).setHeader("User-Agent", "gantry");
        headers.forEach((name, values) -> values.forEach(value -> request.header(name, value)));
        return request;
    }

    private Answer send(Endpoint endpoint, HttpRequest request) throws IOException {
        HttpClient client =
                clients.computeIfAbsent(new ClientKind(endpoint.tls(), endpoint.dialTimeout()), this::client);
        BodyStream body = new BodyStream(bodyPatience);
        // Not the request's own timeout: from JDK 26 on it would limit the body as well.
        CompletableFuture<HttpResponse<InputStream>> answer = client.sendAsync(request, _ -> body);
        try {
            HttpResponse<InputStream> response = answer.get(answerPatience.toMillis(), TimeUnit.MILLISECONDS);
            return new Answer(request.uri(), response.statusCode(), response.headers(), body);
        } catch (TimeoutException _) {
            answer.cancel(true);
            throw new HttpTimeoutException("no answer within " + answerPatience);
        } catch (InterruptedException _) {
            answer.cancel(true);
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while waiting for an answer");
        } catch (ExecutionException e) {
            throw e.getCause() instanceof IOException cause ? cause : new IOException(e.getCause());
        }
    }

    private HttpClient client(ClientKind kind) {
        HttpClient.Builder builder = HttpClient.newBuilder()
                .version(Version.HTTP_1_1)
                .followRedirects(Redirect.NEVER)
                .connectTimeout(kind.dialTimeout())
                .proxy(EnvironmentProxies.ofThisProcess())
                .executor(threads);
        if (!kind.tls().equals(Tls.DEFAULT)) {
            builder.sslContext(TlsContexts.of(kind.tls()));
        }
        return builder.build();
    }

    /// Breaks off what is still under way.
    @Override
    public void close() {
        clients.values().forEach(HttpClient::shutdownNow);
        threads.shutdown();
    }
}
