package dev.gantry.cli;

import dev.gantry.cri.runtime.v1.Image;
import dev.gantry.cri.runtime.v1.ImageServiceGrpc;
import dev.gantry.cri.runtime.v1.ImageStatusRequest;
import dev.gantry.cri.runtime.v1.ImageStatusResponse;
import dev.gantry.cri.runtime.v1.ListImagesRequest;
import dev.gantry.cri.runtime.v1.ListImagesResponse;
import dev.gantry.cri.runtime.v1.RemoveImageRequest;
import dev.gantry.cri.runtime.v1.RemoveImageResponse;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import org.jspecify.annotations.Nullable;

/// The image service of a [FakeNode].
final class FakeImages extends ImageServiceGrpc.ImageServiceImplBase {

    private final FakeNode node;

    FakeImages(FakeNode node) {
        this.node = node;
    }

    @Override
    public void listImages(ListImagesRequest request, StreamObserver<ListImagesResponse> observer) {
        observer.onNext(ListImagesResponse.newBuilder()
                .addAllImages(node.images.values())
                .build());
        observer.onCompleted();
    }

    @Override
    public void imageStatus(ImageStatusRequest request, StreamObserver<ImageStatusResponse> observer) {
        var response = ImageStatusResponse.newBuilder();
        Image image = find(request.getImage().getImage());
        if (image != null) {
            response.setImage(image);
        }
        observer.onNext(response.build());
        observer.onCompleted();
    }

    private @Nullable Image find(String reference) {
        return node.images.values().stream()
                .filter(i ->
                        i.getRepoTagsList().contains(reference) || i.getId().equals(reference))
                .findFirst()
                .orElse(null);
    }

    @Override
    public void removeImage(RemoveImageRequest request, StreamObserver<RemoveImageResponse> observer) {
        try {
            node.called("RemoveImage", request.getImage().getImage());
        } catch (StatusRuntimeException e) {
            observer.onError(e);
            return;
        }
        Image image = find(request.getImage().getImage());
        if (image != null) {
            node.images.values().remove(image);
        }
        observer.onNext(RemoveImageResponse.getDefaultInstance());
        observer.onCompleted();
    }
}
