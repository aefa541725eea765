package dev.gantry.runtime;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.gantry.runtime.stored.ContainerRow;
import dev.gantry.runtime.stored.ImageMountRow;
import dev.gantry.runtime.stored.User;
import dev.gantry.sandbox.SandboxId;
import dev.gantry.storage.Codec;
import dev.gantry.storage.Index;
import dev.gantry.storage.Kind;
import dev.gantry.storage.Times;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// Containers as rows of the store.
final class ContainerRows implements Codec<Container> {

    static final String BY_NAME = "name";

    static final Kind<Container> KIND = new Kind<>(
            "containers", Container::id, new ContainerRows(), List.of(new Index<>(BY_NAME, ContainerRows::names)));

    private static final int VERSION = 1;

    /// A container that is being removed gives its name to the next.
    private static List<String> names(Container container) {
        return container.state() == ContainerState.REMOVING ? List.of() : List.of(container.reservedName());
    }

    @Override
    public byte[] encode(Container container) {
        ContainerRow.Builder row = ContainerRow.newBuilder()
                .setVersion(VERSION)
                .setId(container.id())
                .setSandboxId(container.sandbox().value())
                .setReservedName(container.reservedName())
                .setConfig(container.config())
                .setImageId(container.imageId())
                .setImageRef(container.imageRef())
                .setSnapshotter(container.snapshotter())
                .setState(encode(container.state()))
                .setCreatedNanos(Times.nanos(container.created()))
                .setExitCode(container.exitCode())
                .setReason(container.reason())
                .setMessage(container.message())
                .setPid(container.pid())
                .setBootId(container.bootId())
                .setLogPath(container.logPath())
                .setUser(User.newBuilder()
                        .setUid(container.user().uid())
                        .setGid(container.user().gid())
                        .addAllGroups(container.user().groups()))
                .setResources(container.resources())
                .setStopSignal(container.stopSignal())
                .setCgroupPath(container.cgroupPath());
        container.images().forEach(it -> row.addImages(encode(it)));
        container.started().ifPresent(it -> row.setStartedNanos(Times.nanos(it)));
        container.finished().ifPresent(it -> row.setFinishedNanos(Times.nanos(it)));
        return row.build().toByteArray();
    }

    @Override
    public Container decode(byte[] bytes) {
        ContainerRow row = parse(bytes);
        if (row.getVersion() != VERSION) {
            throw new IllegalStateException(
                    "container %s was written by another version of Gantry (row version %d, known %d)"
                            .formatted(row.getId(), row.getVersion(), VERSION));
        }
        return new Container(
                row.getId(),
                new SandboxId(row.getSandboxId()),
                row.getReservedName(),
                row.getConfig(),
                row.getImageId(),
                row.getImageRef(),
                row.getSnapshotter(),
                decode(row.getState()),
                Times.instant(row.getCreatedNanos()),
                instant(row.getStartedNanos()),
                instant(row.getFinishedNanos()),
                row.getExitCode(),
                row.getReason(),
                row.getMessage(),
                row.getPid(),
                row.getBootId(),
                row.getLogPath(),
                new ContainerUser(
                        row.getUser().getUid(),
                        row.getUser().getGid(),
                        row.getUser().getGroupsList()),
                row.getResources(),
                row.getStopSignal(),
                row.getCgroupPath(),
                row.getImagesList().stream().map(ContainerRows::decode).toList());
    }

    private static ImageMountRow encode(MountedImage image) {
        return ImageMountRow.newBuilder()
                .setPath(image.path())
                .setId(image.id())
                .setRef(image.ref())
                .setManifest(image.manifest())
                .setSnapshot(image.snapshot())
                .build();
    }

    private static MountedImage decode(ImageMountRow row) {
        return new MountedImage(row.getPath(), row.getId(), row.getRef(), row.getManifest(), row.getSnapshot());
    }

    private static ContainerRow parse(byte[] bytes) {
        try {
            return ContainerRow.parseFrom(bytes);
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException("a container row is not readable", e);
        }
    }

    private static Optional<Instant> instant(long nanos) {
        return nanos == 0 ? Optional.empty() : Optional.of(Times.instant(nanos));
    }

    private static ContainerRow.State encode(ContainerState state) {
        return switch (state) {
            case CREATING -> ContainerRow.State.CREATING;
            case CREATED -> ContainerRow.State.CREATED;
            case STARTING -> ContainerRow.State.STARTING;
            case RUNNING -> ContainerRow.State.RUNNING;
            case EXITED -> ContainerRow.State.EXITED;
            case REMOVING -> ContainerRow.State.REMOVING;
        };
    }

    private static ContainerState decode(ContainerRow.State state) {
        return switch (state) {
            case CREATING -> ContainerState.CREATING;
            case CREATED -> ContainerState.CREATED;
            case STARTING -> ContainerState.STARTING;
            case RUNNING -> ContainerState.RUNNING;
            case EXITED -> ContainerState.EXITED;
            case REMOVING -> ContainerState.REMOVING;
            case UNKNOWN, UNRECOGNIZED -> throw new IllegalStateException("unknown state in a stored container");
        };
    }
}
