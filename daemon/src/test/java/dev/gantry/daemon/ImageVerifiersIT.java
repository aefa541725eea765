package dev.gantry.daemon;

import static dev.gantry.daemon.TestCalls.refused;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.gantry.cri.gantry.v1.ContentInfo;
import dev.gantry.cri.gantry.v1.ListContentRequest;
import dev.gantry.cri.gantry.v1.ListLeasesRequest;
import dev.gantry.cri.gantry.v1.PullRequest;
import dev.gantry.cri.oci.Digest;
import dev.gantry.cri.runtime.v1.PullImageRequest;
import io.grpc.Status;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// A daemon whose configuration names verifiers, and a registry that has a manifest under every name.
@ExtendWith(DistributionRequired.class)
class ImageVerifiersIT {

    private static final String TYPE = "application/vnd.oci.image.manifest.v1+json";
    private static final byte[] MANIFEST = """
            {"schemaVersion":2,"mediaType":"%s","layers":[],"config":
              {"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%s","size":2}}
            """.formatted(TYPE, "4".repeat(64)).getBytes(StandardCharsets.UTF_8);

    private final List<String> requests = new CopyOnWriteArrayList<>();
    private HttpServer registry;
    private ChildNode node;

    @BeforeEach
    void start() throws IOException {
        registry = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        registry.createContext("/", exchange -> {
            requests.add(exchange.getRequestURI().getPath());
            exchange.getResponseHeaders().set("Content-Type", TYPE);
            exchange.sendResponseHeaders(200, MANIFEST.length);
            exchange.getResponseBody().write(MANIFEST);
            exchange.close();
        });
        registry.start();
        node = ChildNode.create();
        Path folder = Files.createDirectory(node.directory().resolve("verifiers"));
        Path verifier = Files.writeString(folder.resolve("never"), "#!/bin/sh\necho not \"$2\"; exit 1\n");
        for (Path path : List.of(folder, verifier)) {
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
        node.set("images.verifiers.dir", ChildNode.quoted(folder)).start();
    }

    @AfterEach
    void close() throws IOException {
        registry.stop(0);
        if (node != null) {
            node.close();
        }
    }

    @Test
    void tellsTheKubeletInTheWordsThatItKnowsAndOthersByTheCode() {
        String name = "127.0.0.1:%d/a/b:1".formatted(registry.getAddress().getPort());
        PullImageRequest.Builder request = PullImageRequest.newBuilder();
        request.getImageBuilder().setImage(name);
        int blobs = blobs();

        String toKubelet = refused(Status.Code.UNKNOWN, () -> {
            var _ = node.client().images().pullImage(request.build());
        });
        String toOthers = refused(
                Status.Code.PERMISSION_DENIED,
                () -> node.client()
                        .gantry()
                        .pull(PullRequest.newBuilder().setImage(name).build())
                        .forEachRemaining(step ->
                                assertThat(step).as("a step of the pull").isNull()));

        assertThat(toKubelet)
                .startsWith("SignatureValidationFailed: cannot pull %s (%s): ".formatted(name, Digest.of(MANIFEST)))
                .contains("/verifiers/never refuses it with exit code 1: not %s; ".formatted(name));
        assertThat(toOthers).isEqualTo(toKubelet);
        assertThat(requests).containsExactly("/v2/a/b/manifests/1", "/v2/a/b/manifests/1");
        assertThat(blobs()).isEqualTo(blobs);
        assertThat(node.client()
                        .gantry()
                        .listLeases(ListLeasesRequest.getDefaultInstance())
                        .getLeasesList())
                .isEmpty();
    }

    private int blobs() {
        List<ContentInfo> blobs = new ArrayList<>();
        node.client()
                .gantry()
                .listContent(ListContentRequest.getDefaultInstance())
                .forEachRemaining(blobs::add);
        return blobs.size();
    }
}
