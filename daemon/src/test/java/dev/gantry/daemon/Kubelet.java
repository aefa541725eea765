package dev.gantry.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gantry.cri.runtime.v1.Container;
import dev.gantry.cri.runtime.v1.ContainerFilter;
import dev.gantry.cri.runtime.v1.PodSandbox;
import dev.gantry.cri.runtime.v1.PodSandboxFilter;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/// A kubelet without API server on a node of a test, as `hack/kubelet` runs it: it makes pods of the manifests in a
/// folder. For one thread.
final class Kubelet implements AutoCloseable {

    /// A pod's sandbox and containers are removed by a collector that comes once a minute.
    static final Duration COLLECTED = Duration.ofMinutes(3);

    private static final Path SCRIPT =
            DistributionRequired.DISTRIBUTION.resolve("../../hack/kubelet").normalize();

    /// Ends the names of static pods.
    private static final String HOST = "-gantry";

    private final ChildNode node;
    private final Path directory;
    private final HttpClient http;
    private URI address = URI.create("https://127.0.0.1");

    private Kubelet(ChildNode node, Path directory, HttpClient http) {
        this.node = node;
        this.directory = directory;
        this.http = http;
    }

    /// Whether `hack/tool kubelet` has built it; that takes minutes, so that a test does not.
    static boolean isBuilt() {
        if (System.getenv("GANTRY_KUBELET") != null) {
            return true;
        }
        String cache = System.getenv().getOrDefault("GANTRY_CACHE", System.getProperty("user.home") + "/.cache/gantry");
        try (Stream<Path> tools = Files.list(Path.of(cache, "tools"))) {
            return tools.anyMatch(it -> Files.isExecutable(it.resolve("kubelet")));
        } catch (IOException _) {
            return false;
        }
    }

    /// @param configuration what differs from the script's, a `KubeletConfiguration`
    static Kubelet on(ChildNode node, String configuration) throws IOException {
        Path directory = Path.of(node.directory() + "-k");
        Path overrides = Files.createDirectories(directory.resolve("config.d"));
        Files.writeString(overrides.resolve("test.conf"), configuration);
        TestCertificate certificate = TestCertificate.make(directory);
        Files.writeString(overrides.resolve("tls.conf"), """
            apiVersion: kubelet.config.k8s.io/v1beta1
            kind: KubeletConfiguration
            tlsCertFile: %s
            tlsPrivateKeyFile: %s
            """.formatted(certificate.file(), certificate.key()));
        Kubelet kubelet = new Kubelet(node, directory, client(certificate));
        Files.createDirectories(kubelet.manifests());
        Files.writeString(kubelet.manifests().resolve(".keep"), ""); // or the examples would be run
        kubelet.start();
        return kubelet;
    }

    private static HttpClient client(TestCertificate certificate) throws IOException {
        try {
            return HttpClient.newBuilder().sslContext(certificate.trusted()).build();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private void start() {
        String socket = node.state().resolve("gantry.sock").toString();
        String answer = ChildProgram.run(SCRIPT.toString(), "up", directory.toString(), "--runtime", socket);
        address = URI.create(answer.lines().toList().getLast());
    }

    /// Its pods run on meanwhile.
    void restart() {
        var _ = ChildProgram.run(SCRIPT.toString(), "stop", directory.toString());
        start();
    }

    private Path manifests() {
        return directory.resolve("manifests");
    }

    /// Gives it a pod, or another version of one.
    void run(String pod, String manifest) throws IOException {
        Path next = Files.writeString(directory.resolve("next"), manifest);
        Files.move(next, manifests().resolve(pod + ".yaml"), StandardCopyOption.ATOMIC_MOVE);
    }

    void remove(String pod) throws IOException {
        Files.delete(manifests().resolve(pod + ".yaml"));
    }

    URI address() {
        return address;
    }

    HttpClient http() {
        return http;
    }

    Path logs(String pod) {
        try (Stream<Path> folders = Files.list(directory.resolve("logs"))) {
            return folders.filter(it -> it.getFileName().toString().startsWith("default_" + pod + HOST + "_"))
                    .findFirst()
                    .orElse(directory.resolve("logs/none"));
        } catch (IOException e) {
            throw new IllegalStateException("no logs of " + pod, e);
        }
    }

    /// A path of its API that names a pod: `path("/exec", "hello", "server")`.
    static String path(String call, String... podAndContainer) {
        List<String> parts = new ArrayList<>(List.of(podAndContainer));
        parts.set(0, parts.getFirst() + HOST);
        return call + "/default/" + String.join("/", parts);
    }

    /// What it answers with status 200.
    String get(String pathAndQuery) {
        try {
            HttpResponse<String> answer = http.send(
                    HttpRequest.newBuilder(address.resolve(pathAndQuery)).build(),
                    HttpResponse.BodyHandlers.ofString());
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
            return answer.body();
        } catch (IOException e) {
            throw new IllegalStateException("cannot get " + pathAndQuery, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    /// What `jq` makes of the status of a pod; of an empty one if the kubelet does not know the pod, or not yet again.
    String status(String pod, String filter) {
        return json(
                "/pods",
                "[.items[]? | select(.metadata.name == \"%s\").status] | .[0] // {} | %s"
                        .formatted(pod + HOST, filter));
    }

    /// What `jq` makes of an answer.
    String json(String path, String filter) {
        try {
            Path answer = Files.writeString(directory.resolve("answer.json"), get(path));
            return ChildProgram.run("jq", "-rc", filter, answer.toString()).strip();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /// Waits until all probes of a pod succeed.
    void awaitReady(String pod) {
        await(pod + " is ready")
                .atMost(ChildNode.PATIENCE.multipliedBy(2))
                .pollInterval(Duration.ofMillis(200))
                .until(
                        () -> status(pod, ".conditions[]? | select(.type == \"Ready\").status"),
                        it -> it.equals("True"));
    }

    /// The newest container of that name in a pod.
    Container container(String pod, String name) {
        return node
                .calls()
                .containers(ContainerFilter.newBuilder()
                        .putLabelSelector("io.kubernetes.pod.name", pod + HOST)
                        .putLabelSelector("io.kubernetes.container.name", name))
                .stream()
                .max(Comparator.comparingLong(Container::getCreatedAt))
                .orElseThrow(() -> new AssertionError("no container %s in pod %s: %s".formatted(name, pod, log())));
    }

    List<PodSandbox> sandboxes(String pod) {
        return node.calls().pods(PodSandboxFilter.newBuilder().putLabelSelector("io.kubernetes.pod.name", pod + HOST));
    }

    /// What a shell command in a container prints.
    String shell(String pod, String container, String command) {
        return node.calls().shell(container(pod, container).getId(), command);
    }

    private String log() {
        List<String> lines =
                ChildNode.proc(directory.resolve("kubelet.log")).lines().toList();
        return String.join("\n", lines.subList(Math.max(0, lines.size() - 20), lines.size()));
    }

    /// Removes its pods; fails if anything of it is left.
    @Override
    public void close() {
        http.shutdownNow();
        var _ = ChildProgram.run(SCRIPT.toString(), "down", directory.toString());
        var _ = ChildProgram.run("rm", "-r", directory.toString());
    }
}
