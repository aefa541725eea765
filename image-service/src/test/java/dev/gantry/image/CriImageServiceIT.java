package dev.gantry.image;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gantry.cri.runtime.v1.ImageFilter;
import dev.gantry.cri.runtime.v1.ImageFsInfoRequest;
import dev.gantry.cri.runtime.v1.ImageFsInfoResponse;
import dev.gantry.cri.runtime.v1.ImageSpec;
import dev.gantry.cri.runtime.v1.ImageStatusRequest;
import dev.gantry.cri.runtime.v1.ImageStatusResponse;
import dev.gantry.cri.runtime.v1.ListImagesRequest;
import dev.gantry.cri.runtime.v1.ListImagesResponse;
import dev.gantry.cri.runtime.v1.PullImageRequest;
import dev.gantry.cri.runtime.v1.PullImageResponse;
import dev.gantry.cri.runtime.v1.RemoveImageRequest;
import dev.gantry.cri.runtime.v1.RemoveImageResponse;
import dev.gantry.cri.runtime.v1.StreamImagesRequest;
import dev.gantry.cri.runtime.v1.StreamImagesResponse;
import io.grpc.Context;
import io.grpc.Status;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The image service as the kubelet sees it; the daemon's tests call it over its socket.
class CriImageServiceIT {

    private static final TestLayer.Packed LAYER =
            new TestLayer().file("f", "content").gzip();
    private static final TestImage IMAGE = TestImage.of("1000:50", List.of(LAYER), false);

    @TempDir
    private Path directory;

    private FakeRegistry registry;
    private TestNode node;
    private CriImageService service;

    @BeforeEach
    void start() throws IOException {
        registry = new FakeRegistry();
        node = new TestNode(directory.resolve("node"));
        service = new CriImageService(node.images, _ -> Optional.empty(), node.garbage::run);
        registry.add("1", IMAGE);
    }

    @AfterEach
    void stop() {
        node.close();
        registry.close();
    }

    private String name() {
        return registry.host() + "/a/b:1";
    }

    private static ImageSpec spec(String image) {
        return ImageSpec.newBuilder().setImage(image).build();
    }

    private PullImageResponse pull() {
        return Answer.good(
                service::pullImage,
                PullImageRequest.newBuilder().setImage(spec(name())).build());
    }

    private ImageStatusResponse status(String image) {
        return Answer.good(
                service::imageStatus,
                ImageStatusRequest.newBuilder()
                        .setImage(spec(image))
                        .setVerbose(true)
                        .build());
    }

    @Test
    void givesAnImageTheSameIdEverywhere() {
        String ref = pull().getImageRef();

        ListImagesResponse list = Answer.good(service::listImages, ListImagesRequest.getDefaultInstance());

        assertThat(ref).isEqualTo(IMAGE.id().toString());
        assertThat(list.getImagesList()).hasSize(1);
        assertThat(list.getImages(0).getId()).isEqualTo(ref);
        assertThat(list.getImages(0).getRepoTagsList()).containsExactly(name());
        assertThat(list.getImages(0).getRepoDigestsList()).containsExactly(registry.host() + "/a/b@" + IMAGE.digest());
        assertThat(list.getImages(0).getUid().getValue()).isEqualTo(1000);
        assertThat(list.getImages(0).getUsername()).isEmpty();
        assertThat(list.getImages(0).getSize())
                .isEqualTo(IMAGE.manifest().length + IMAGE.config().length + LAYER.blob().length);
        assertThat(status(ref).getImage()).isEqualTo(list.getImages(0));
    }

    @Test
    void listsOnlyWhatTheFilterNames() {
        pull();

        for (String filter : List.of(name(), IMAGE.id().toString(), "nothing")) {
            ListImagesResponse list = Answer.good(
                    service::listImages,
                    ListImagesRequest.newBuilder()
                            .setFilter(ImageFilter.newBuilder().setImage(spec(filter)))
                            .build());
            assertThat(list.getImagesCount()).as(filter).isEqualTo(filter.equals("nothing") ? 0 : 1);
        }
    }

    @Test
    void answersWithoutAnImageForOneThatIsNotThere() {
        assertThat(status("nothing").hasImage()).isFalse();
        assertThat(status("").hasImage()).isFalse();
    }

    @Test
    void showsTheConfigurationWhenAskedForMore() {
        pull();

        assertThat(status(name()).getInfoMap().get("info"))
                .contains("\"chainID\":\"" + LAYER.diffId(), "\"imageSpec\":{", "\"User\":\"1000:50\"");
    }

    @Test
    void removesWithEverythingAndTwice() {
        pull();
        RemoveImageRequest request =
                RemoveImageRequest.newBuilder().setImage(spec(name())).build();

        assertThat(Answer.good(service::removeImage, request)).isEqualTo(RemoveImageResponse.getDefaultInstance());
        assertThat(Answer.good(service::removeImage, request)).isEqualTo(RemoveImageResponse.getDefaultInstance());

        assertThat(node.content.list()).isEmpty();
        assertThat(node.overlay.list()).isEmpty();
    }

    @Test
    void refusesNamesAndCredentialsThatCannotBeRead() {
        Answer<PullImageResponse> badName = Answer.of(
                service::pullImage,
                PullImageRequest.newBuilder().setImage(spec("Not A Name")).build());
        assertThat(badName.status.getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
        assertThat(badName.status.getDescription()).contains("Not A Name");

        PullImageRequest.Builder badAuth = PullImageRequest.newBuilder().setImage(spec(name()));
        badAuth.getAuthBuilder().setAuth("%%%");
        assertThat(Answer.of(service::pullImage, badAuth.build()).status.getCode())
                .isEqualTo(Status.Code.INVALID_ARGUMENT);
    }

    @Test
    void tellsHowFullTheDiskIs() {
        pull();

        ImageFsInfoResponse info = Answer.good(service::imageFsInfo, ImageFsInfoRequest.getDefaultInstance());

        assertThat(info.getImageFilesystems(0).getUsedBytes().getValue()).isPositive();
        assertThat(info.getImageFilesystems(0).getTimestamp()).isPositive();
        assertThat(info.getContainerFilesystems(0).getFsId().getMountpoint())
                .isEqualTo(node.overlay.root().toString());
    }

    @Test
    void streamsWhatItLists() {
        pull();
        StreamImagesRequest.Builder request = StreamImagesRequest.newBuilder();
        ImageFilter.Builder other = ImageFilter.newBuilder().setImage(spec("example.org/other:1"));

        assertThat(Answer.good(service::streamImages, request.build()).getImagesList())
                .isEqualTo(Answer.good(service::listImages, ListImagesRequest.getDefaultInstance())
                        .getImagesList())
                .hasSize(1);
        Answer<StreamImagesResponse> nothing =
                Answer.of(service::streamImages, request.setFilter(other).build());
        assertThat(nothing.status).isEqualTo(Status.OK);
        assertThat(nothing.message).isNull();
    }

    @Test
    void endsAPullWhoseCallWasCancelled() throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        registry.misbehave(exchange -> {
            if (FakeRegistry.isBlob(exchange)) {
                asked.countDown();
                try {
                    Thread.sleep(20_000);
                } catch (InterruptedException _) {
                    Thread.currentThread().interrupt();
                }
            }
            return false;
        });
        Context.CancellableContext context = Context.ROOT.withCancellation();
        Answer<PullImageResponse> answer = new Answer<>();
        PullImageRequest request =
                PullImageRequest.newBuilder().setImage(spec(name())).build();
        Thread call = Thread.ofPlatform().start(context.wrap(() -> service.pullImage(request, answer)));
        assertThat(asked.await(10, TimeUnit.SECONDS)).isTrue();

        context.cancel(null);

        assertThat(call.join(Duration.ofSeconds(10))).isTrue();
        assertThat(answer.status.getCode()).isEqualTo(Status.Code.CANCELLED);
        assertThat(node.images.list()).isEmpty();
        assertThat(node.leases.list()).isEmpty();
    }
}
