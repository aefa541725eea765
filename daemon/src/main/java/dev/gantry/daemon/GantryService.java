package dev.gantry.daemon;

import dev.gantry.cri.gantry.v1.CollectGarbageRequest;
import dev.gantry.cri.gantry.v1.CollectGarbageResponse;
import dev.gantry.cri.gantry.v1.ContentInfo;
import dev.gantry.cri.gantry.v1.CreateVolumeRequest;
import dev.gantry.cri.gantry.v1.CreateVolumeResponse;
import dev.gantry.cri.gantry.v1.GantryGrpc;
import dev.gantry.cri.gantry.v1.ImportRequest;
import dev.gantry.cri.gantry.v1.ImportResponse;
import dev.gantry.cri.gantry.v1.InfoRequest;
import dev.gantry.cri.gantry.v1.InfoResponse;
import dev.gantry.cri.gantry.v1.ListContentRequest;
import dev.gantry.cri.gantry.v1.ListLeasesRequest;
import dev.gantry.cri.gantry.v1.ListLeasesResponse;
import dev.gantry.cri.gantry.v1.ListSnapshotsRequest;
import dev.gantry.cri.gantry.v1.PullProgress;
import dev.gantry.cri.gantry.v1.PullRequest;
import dev.gantry.cri.gantry.v1.SnapshotInfo;
import dev.gantry.cri.oci.Platform;
import dev.gantry.image.Cancellation;
import dev.gantry.image.Credentials;
import dev.gantry.image.CriImageService;
import dev.gantry.image.Image;
import dev.gantry.image.PullOptions;
import dev.gantry.image.Reference;
import dev.gantry.sandbox.SandboxId;
import dev.gantry.storage.Collected;
import dev.gantry.storage.Lease;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/// What the command line asks of the daemon beyond CRI: `gantry.v1` of cri-api.
///
/// What a method throws becomes a status in [CallInterceptor].
final class GantryService extends GantryGrpc.GantryImplBase {

    private final NodeServices node;
    private final NodeInfo info;

    GantryService(NodeServices node, NodeInfo info) {
        this.node = node;
        this.info = info;
    }

    @Override
    public void info(InfoRequest request, StreamObserver<InfoResponse> client) {
        answer(client, info.now());
    }

    @Override
    public void pull(PullRequest request, StreamObserver<PullProgress> client) {
        PullStream stream = new PullStream((ServerCallStreamObserver<PullProgress>) client);
        PullOptions options = new PullOptions(
                Reference.parse(request.getImage()),
                request.hasAuth() ? CriImageService.credentials(request.getAuth()) : Credentials.NONE,
                Optional.empty(),
                request.hasPlatform() ? platform(request.getPlatform()) : Platform.host(),
                stream);
        stream.done(Cancellation.interrupting(() -> node.images().pull(options)));
    }

    @Override
    public void createVolume(CreateVolumeRequest request, StreamObserver<CreateVolumeResponse> client) {
        boolean inMemory = switch (request.getMedium()) {
            case DISK -> false;
            case MEMORY -> true;
            case UNRECOGNIZED -> throw invalid("unknown medium " + request.getMediumValue());
        };
        if (request.getSizeLimitBytes() < 0) {
            throw invalid("a volume of " + request.getSizeLimitBytes() + " bytes cannot be");
        }
        Path path = node.sandboxes()
                .createVolume(
                        new SandboxId(request.getPodSandboxId()),
                        request.getName(),
                        inMemory,
                        request.getSizeLimitBytes());
        answer(
                client,
                CreateVolumeResponse.newBuilder().setHostPath(path.toString()).build());
    }

    @Override
    public void import_(ImportRequest request, StreamObserver<ImportResponse> client) {
        Path path = absolute(request.getPath());
        if (Files.isRegularFile(path)) {
            throw Status.UNIMPLEMENTED
                    .withDescription("cannot import an archive yet: unpack %s and name its folder".formatted(path))
                    .asRuntimeException();
        }
        List<Image> images = Cancellation.interrupting(() -> node.images().importLayout(path, false));
        ImportResponse.Builder response = ImportResponse.newBuilder();
        images.stream().flatMap(image -> image.tags().stream()).distinct().forEach(response::addReferences);
        answer(client, response.build());
    }

    @Override
    public void collectGarbage(CollectGarbageRequest request, StreamObserver<CollectGarbageResponse> client) {
        if (request.getDryRun()) {
            throw Status.UNIMPLEMENTED
                    .withDescription("cannot tell beforehand what would be removed")
                    .asRuntimeException();
        }
        Collected collected = node.garbage().run();
        answer(
                client,
                CollectGarbageResponse.newBuilder()
                        .setRemovedBlobs(collected.blobs().count())
                        .setRemovedSnapshots(collected.snapshots().count())
                        .setRemovedLeases(collected.leases())
                        .setFreedBytes(collected.blobs().bytes()
                                + collected.snapshots().bytes())
                        .build());
    }

    @Override
    public void listContent(ListContentRequest request, StreamObserver<ContentInfo> client) {
        node.content().list().stream()
                .sorted(Comparator.comparing(blob -> blob.digest().toString()))
                .map(StoreMessages::blob)
                .forEach(client::onNext);
        client.onCompleted();
    }

    @Override
    public void listSnapshots(ListSnapshotsRequest request, StreamObserver<SnapshotInfo> client) {
        String wanted = request.getSnapshotter();
        node.snapshotters().stream()
                .filter(snapshotter -> wanted.isEmpty() || snapshotter.name().equals(wanted))
                .flatMap(snapshotter -> snapshotter.list().stream())
                .sorted(Comparator.comparing(dev.gantry.storage.SnapshotInfo::key))
                .map(StoreMessages::snapshot)
                .forEach(client::onNext);
        client.onCompleted();
    }

    @Override
    public void listLeases(ListLeasesRequest request, StreamObserver<ListLeasesResponse> client) {
        ListLeasesResponse.Builder response = ListLeasesResponse.newBuilder();
        node.leases().list().stream()
                .sorted(Comparator.comparing(Lease::id))
                .map(StoreMessages::lease)
                .forEach(response::addLeases);
        answer(client, response.build());
    }

    private static <T> void answer(StreamObserver<T> client, T answer) {
        client.onNext(answer);
        client.onCompleted();
    }

    private static Platform platform(String text) {
        try {
            return Platform.parse(text);
        } catch (IllegalArgumentException e) {
            throw invalid(String.valueOf(e.getMessage()));
        }
    }

    private static Path absolute(String text) {
        try {
            Path path = Path.of(text);
            if (path.isAbsolute()) {
                return path;
            }
        } catch (InvalidPathException _) {
            // told below
        }
        throw invalid("not an absolute path: " + text);
    }

    private static StatusRuntimeException invalid(String text) {
        return Status.INVALID_ARGUMENT.withDescription(text).asRuntimeException();
    }
}
