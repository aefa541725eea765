package dev.gantry.image;

import dev.gantry.cri.oci.Digest;
import dev.gantry.cri.oci.Json;
import dev.gantry.cri.runtime.v1.AuthConfig;
import dev.gantry.cri.runtime.v1.FilesystemIdentifier;
import dev.gantry.cri.runtime.v1.FilesystemUsage;
import dev.gantry.cri.runtime.v1.ImageFilter;
import dev.gantry.cri.runtime.v1.ImageFsInfoRequest;
import dev.gantry.cri.runtime.v1.ImageFsInfoResponse;
import dev.gantry.cri.runtime.v1.ImageServiceGrpc;
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
import dev.gantry.cri.runtime.v1.UInt64Value;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The ImageService of the Container Runtime Interface. Its calls block and belong on the daemon's pool of threads for
/// calls.
public final class CriImageService extends ImageServiceGrpc.ImageServiceImplBase {

    private static final int MOST_IN_BATCH = 100;

    private final Images images;
    private final Function<String, Optional<String>> snapshotterOfHandler;
    private final Runnable collectGarbage;
    private final ImageListItems items = new ImageListItems();

    /// @param snapshotterOfHandler the snapshotter that a runtime handler names, if it is another than the default
    /// @param collectGarbage called after an image was removed, since the kubelet expects space to be free then
    public CriImageService(
            Images images, Function<String, Optional<String>> snapshotterOfHandler, Runnable collectGarbage) {
        this.images = images;
        this.snapshotterOfHandler = snapshotterOfHandler;
        this.collectGarbage = collectGarbage;
    }

    @Override
    public void listImages(ListImagesRequest request, StreamObserver<ListImagesResponse> observer) {
        answer(observer, () -> {
            ListImagesResponse.Builder response = ListImagesResponse.newBuilder();
            found(request.getFilter()).forEach(image -> response.addImages(items.of(image)));
            return response.build();
        });
    }

    @Override
    public void streamImages(StreamImagesRequest request, StreamObserver<StreamImagesResponse> observer) {
        Iterator<Image> left = found(request.getFilter()).iterator();
        StreamedAnswer.send(
                (ServerCallStreamObserver<StreamImagesResponse>) observer,
                new Iterator<>() {
                    @Override
                    public boolean hasNext() {
                        return left.hasNext();
                    }

                    @Override
                    public StreamImagesResponse next() {
                        StreamImagesResponse.Builder batch = StreamImagesResponse.newBuilder();
                        do {
                            batch.addImages(items.of(left.next()));
                        } while (left.hasNext() && batch.getImagesCount() < MOST_IN_BATCH);
                        return batch.build();
                    }
                },
                GrpcErrors::of);
    }

    private Collection<Image> found(ImageFilter filter) {
        String wanted = filter.getImage().getImage();
        return wanted.isEmpty() ? images.list() : images.find(wanted).stream().toList();
    }

    @Override
    public void imageStatus(ImageStatusRequest request, StreamObserver<ImageStatusResponse> observer) {
        answer(observer, () -> {
            ImageStatusResponse.Builder response = ImageStatusResponse.newBuilder();
            images.find(request.getImage().getImage()).ifPresent(image -> {
                response.setImage(items.of(image));
                if (request.getVerbose()) {
                    response.putInfo("info", info(image));
                }
            });
            return response.build();
        });
    }

    /// In containerd's form, which tools read.
    private String info(Image image) {
        Map<String, @Nullable Object> info = new LinkedHashMap<>();
        info.put("chainID", image.chainId().toString());
        info.put(
                image.artifact() ? "manifest" : "imageSpec",
                Json.parse(images.configBytes(image), "document " + image.id()));
        return new String(Json.write(info), StandardCharsets.UTF_8);
    }

    @Override
    public void pullImage(PullImageRequest request, StreamObserver<PullImageResponse> observer) {
        answer(observer, () -> {
            Digest id = pull(request);
            return PullImageResponse.newBuilder().setImageRef(id.toString()).build();
        });
    }

    /// The kubelet tells a registry that is down and an image that was refused from one that is not there by how the
    /// message begins, and it sees the bare message only where the code is UNKNOWN: before any other its client
    /// puts the code.
    private Digest pull(PullImageRequest request) {
        try {
            return Cancellation.interrupting(() -> images.pull(options(request)))
                    .id();
        } catch (ImageException.RegistryUnavailable | ImageException.SignatureRefused e) {
            throw Status.UNKNOWN.withDescription(e.getMessage()).withCause(e).asRuntimeException();
        }
    }

    private PullOptions options(PullImageRequest request) {
        ImageSpec spec = request.getImage();
        String handler = spec.getRuntimeHandler().isEmpty() ? "" : spec.getRuntimeHandler();
        PullOptions plain = PullOptions.of(Reference.parse(spec.getImage()), credentials(request.getAuth()));
        return new PullOptions(
                plain.reference(),
                plain.credentials(),
                handler.isEmpty() ? Optional.empty() : snapshotterOfHandler.apply(handler),
                plain.platform(),
                plain.listener());
    }

    /// The credentials of a request.
    ///
    /// @throws io.grpc.StatusRuntimeException INVALID_ARGUMENT if they cannot be read
    public static Credentials credentials(AuthConfig auth) {
        try {
            return Credentials.of(
                    auth.getUsername(),
                    auth.getPassword(),
                    auth.getAuth(),
                    auth.getIdentityToken(),
                    auth.getRegistryToken(),
                    auth.getServerAddress());
        } catch (IllegalArgumentException e) {
            throw Status.INVALID_ARGUMENT.withDescription(e.getMessage()).asRuntimeException();
        }
    }

    @Override
    public void removeImage(RemoveImageRequest request, StreamObserver<RemoveImageResponse> observer) {
        answer(observer, () -> {
            if (images.remove(request.getImage().getImage()).isPresent()) {
                collectGarbage.run();
            }
            return RemoveImageResponse.getDefaultInstance();
        });
    }

    @Override
    public void imageFsInfo(ImageFsInfoRequest request, StreamObserver<ImageFsInfoResponse> observer) {
        answer(observer, () -> {
            FsUsage usage = images.usage();
            return ImageFsInfoResponse.newBuilder()
                    .addImageFilesystems(filesystem(usage, usage.imageBytes(), usage.imageInodes()))
                    .addContainerFilesystems(filesystem(usage, usage.containerBytes(), usage.containerInodes()))
                    .build();
        });
    }

    private static FilesystemUsage filesystem(FsUsage usage, long bytes, long inodes) {
        long nanos = ChronoUnit.NANOS.between(Instant.EPOCH, usage.at());
        return FilesystemUsage.newBuilder()
                .setTimestamp(nanos)
                .setFsId(FilesystemIdentifier.newBuilder()
                        .setMountpoint(usage.mountpoint().toString()))
                .setUsedBytes(UInt64Value.newBuilder().setValue(bytes))
                .setInodesUsed(UInt64Value.newBuilder().setValue(inodes))
                .build();
    }

    private static <T> void answer(StreamObserver<T> observer, Supplier<T> work) {
        T response;
        try {
            response = work.get();
        } catch (RuntimeException e) {
            observer.onError(GrpcErrors.of(e));
            return;
        }
        observer.onNext(response);
        observer.onCompleted();
    }
}
