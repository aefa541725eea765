package dev.gantry.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gantry.cri.oci.Digest;
import dev.gantry.cri.oci.MediaTypes;
import dev.gantry.cri.oci.Platform;
import dev.gantry.cri.runtime.v1.ImageSpec;
import dev.gantry.cri.runtime.v1.PullImageRequest;
import dev.gantry.cri.runtime.v1.PullImageResponse;
import dev.gantry.linux.HostFacts;
import dev.gantry.linux.Spawn;
import io.grpc.Status;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A policy that wants a signature of each image's digest, made with a key and checked by openssl.
class ImageVerifiersIT {

    private static final TestImage IMAGE =
            TestImage.of(new TestLayer().file("f", "signed").gzip());
    private static final TestImage OTHER =
            TestImage.of(new TestLayer().file("f", "not signed").zstd());

    @TempDir
    private Path directory;

    private Path signatures;
    private TestNode node;

    @BeforeEach
    void start() throws Exception {
        assumeTrue(HostFacts.isRoot(), "verifiers must belong to root, so their tests must make them as root");
        signatures = Files.createDirectory(directory.resolve("signatures"));
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", file("key.pem"));
        openssl("pkey", "-in", file("key.pem"), "-pubout", "-out", file("key.pub"));
        Verifiers verifiers = Verifiers.in(directory.resolve("verifiers"));
        verifiers.add("signed", """
                digest=$4
                signature=%s/${digest#sha256:}
                if [ ! -f "$signature" ]; then
                    echo "nobody has signed $digest"
                    exit 1
                fi
                printf %%s "$digest" | openssl dgst -sha256 -verify %s -signature "$signature"
                """.formatted(signatures, file("key.pub")));
        node = new TestNode(directory.resolve("node"), verifiers.settings());
    }

    @AfterEach
    void stop() {
        if (node != null) {
            node.close();
        }
    }

    private String file(String name) {
        return directory.resolve(name).toString();
    }

    private static void openssl(String... arguments) throws InterruptedException {
        String[] argv = new String[arguments.length + 1];
        argv[0] = "openssl";
        System.arraycopy(arguments, 0, argv, 1, arguments.length);
        Spawn.Result result = Spawn.run(Spawn.command(argv), Duration.ofSeconds(30));
        assertThat(result.ok()).as(result.errorText()).isTrue();
    }

    private void sign(Digest digest) throws Exception {
        Path text = Files.writeString(directory.resolve("text"), digest.toString());
        openssl(
                "dgst",
                "-sha256",
                "-sign",
                file("key.pem"),
                "-out",
                signature(digest).toString(),
                text.toString());
    }

    private Path signature(Digest digest) {
        return signatures.resolve(digest.hex());
    }

    private Answer<PullImageResponse> pull(String name) {
        CriImageService service = new CriImageService(node.images, _ -> Optional.empty(), node.garbage::run);
        return Answer.of(
                service::pullImage,
                PullImageRequest.newBuilder()
                        .setImage(ImageSpec.newBuilder().setImage(name))
                        .build());
    }

    private void assertRefused(String name, Digest digest, String reason) {
        Status status = pull(name).status;
        assertThat(status.getCode()).isEqualTo(Status.Code.UNKNOWN);
        assertThat(status.getDescription())
                .startsWith("SignatureValidationFailed: cannot pull %s (%s): verifier ".formatted(name, digest))
                .contains("/verifiers/signed refuses it with exit code 1: " + reason);
        assertThatThrownBy(() -> node.pull(name))
                .satisfies(e ->
                        assertThat(GrpcErrors.of(e).getStatus().getCode()).isEqualTo(Status.Code.PERMISSION_DENIED));
        assertThat(node.leases.list()).isEmpty();
    }

    @Test
    void pullsWhatIsSignedAndNothingOfWhatIsNot() throws Exception {
        try (LocalRegistry registry = LocalRegistry.start(directory);
                RegistryClient client = new RegistryClient(registry.host())) {
            client.push("a/signed", "1", IMAGE);
            client.push("a/unsigned", "1", OTHER);
            client.push("a/artifact", "1", artifact());
            String unsigned = registry.host() + "/a/unsigned:1";
            String artifact = registry.host() + "/a/artifact:1";
            sign(IMAGE.digest());

            assertRefused(unsigned, OTHER.digest(), "nobody has signed " + OTHER.digest());
            assertRefused(
                    artifact,
                    artifact().digest(),
                    "nobody has signed " + artifact().digest());
            Files.copy(signature(IMAGE.digest()), signature(OTHER.digest()));
            assertRefused(unsigned, OTHER.digest(), "Verification failure");

            assertThat(node.content.list()).isEmpty();
            assertThat(node.images.list()).isEmpty();
            assertThat(node.overlay.list()).isEmpty();

            Answer<PullImageResponse> answer = pull(registry.host() + "/a/signed:1");
            assertThat(answer.status).isEqualTo(Status.OK);
            assertThat(node.images.list()).extracting(Image::id).containsExactly(IMAGE.id());
        }
    }

    private static TestImage artifact() {
        return TestImage.artifact(Map.of("model", "weights".getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void refusesAnImageThatIsThereButLeavesIt() throws Exception {
        try (LocalRegistry registry = LocalRegistry.start(directory);
                RegistryClient client = new RegistryClient(registry.host())) {
            client.push("a/b", "1", IMAGE);
            sign(IMAGE.digest());
            String name = registry.host() + "/a/b:1";
            Image before = node.pull(name);
            Files.delete(signature(IMAGE.digest()));

            assertRefused(name, IMAGE.digest(), "nobody has signed " + IMAGE.digest());

            node.garbage.run();
            assertThat(node.images.find(name)).contains(before);
            assertThat(Files.readString(node.topLayer(before).resolve("f"))).isEqualTo("signed");

            sign(IMAGE.digest());
            assertThat(pull(name).status).isEqualTo(Status.OK);
        }
    }

    @Test
    void asksForNothingButTheIndexBeforeItIsAccepted() throws Exception {
        byte[] index = TestImage.index(IMAGE.descriptor(Platform.host()));
        try (FakeRegistry registry = new FakeRegistry()) {
            registry.add("0", IMAGE);
            registry.manifest("1", MediaTypes.OCI_INDEX, index);
            String name = registry.host() + "/a/b:1";

            assertThat(pull(name).status.getDescription()).contains("nobody has signed " + Digest.of(index));

            assertThat(registry.requests()).containsExactly("GET /v2/a/b/manifests/1");
            assertThat(node.content.list()).isEmpty();
            sign(Digest.of(index));
            assertThat(node.pull(name).id()).isEqualTo(IMAGE.id());
        }
    }
}
