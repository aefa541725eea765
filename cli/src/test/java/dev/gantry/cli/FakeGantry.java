package dev.gantry.cli;

import dev.gantry.cri.gantry.v1.CreateVolumeRequest;
import dev.gantry.cri.gantry.v1.CreateVolumeResponse;
import dev.gantry.cri.gantry.v1.GantryGrpc;
import dev.gantry.cri.gantry.v1.InfoRequest;
import dev.gantry.cri.gantry.v1.InfoResponse;
import dev.gantry.cri.gantry.v1.PullProgress;
import dev.gantry.cri.gantry.v1.PullProgress.Done;
import dev.gantry.cri.gantry.v1.PullProgress.Layer;
import dev.gantry.cri.gantry.v1.PullProgress.LayerProgress;
import dev.gantry.cri.gantry.v1.PullProgress.Phase;
import dev.gantry.cri.gantry.v1.PullProgress.Resolved;
import dev.gantry.cri.gantry.v1.PullRequest;
import dev.gantry.cri.runtime.v1.Image;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.nio.file.Path;

/// The own service of a [FakeNode].
final class FakeGantry extends GantryGrpc.GantryImplBase {

    private static final String LAYER = "sha256:" + "ab".repeat(32);

    private final FakeNode node;

    FakeGantry(FakeNode node) {
        this.node = node;
    }

    @Override
    public void info(InfoRequest request, StreamObserver<InfoResponse> observer) {
        observer.onNext(node.info());
        observer.onCompleted();
    }

    @Override
    public void pull(PullRequest request, StreamObserver<PullProgress> observer) {
        try {
            node.called("Pull", request.getImage());
        } catch (StatusRuntimeException e) {
            observer.onError(e);
            return;
        }
        Image image = node.registry.get(request.getImage());
        if (image == null) {
            observer.onError(Status.NOT_FOUND
                    .withDescription("image %s not found in its registry".formatted(request.getImage()))
                    .asRuntimeException());
            return;
        }
        node.images.put(request.getImage(), image);
        observer.onNext(PullProgress.newBuilder()
                .setResolved(Resolved.newBuilder()
                        .setReference(request.getImage())
                        .addLayers(Layer.newBuilder().setDigest(LAYER).setSize(2_000_000)))
                .build());
        layer(observer, 1_000_000, Phase.DOWNLOADING);
        layer(observer, 2_000_000, Phase.UNPACKING);
        layer(observer, 2_000_000, Phase.DONE);
        observer.onNext(PullProgress.newBuilder()
                .setDone(Done.newBuilder()
                        .setImageRef(image.getId())
                        .setImageId(image.getId())
                        .setSize(2_000_000)
                        .setDownloaded(2_000_000))
                .build());
        observer.onCompleted();
    }

    private static void layer(StreamObserver<PullProgress> observer, long bytes, Phase phase) {
        observer.onNext(PullProgress.newBuilder()
                .setLayer(LayerProgress.newBuilder()
                        .setDigest(LAYER)
                        .setDownloaded(bytes)
                        .setTotal(2_000_000)
                        .setPhase(phase))
                .build());
    }

    @Override
    public void createVolume(CreateVolumeRequest request, StreamObserver<CreateVolumeResponse> observer) {
        try {
            node.called("CreateVolume", request.getName());
        } catch (StatusRuntimeException e) {
            observer.onError(e);
            return;
        }
        Path path = node.root().resolve("volumes").resolve(request.getName());
        observer.onNext(
                CreateVolumeResponse.newBuilder().setHostPath(path.toString()).build());
        observer.onCompleted();
    }
}
