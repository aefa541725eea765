package dev.gantry.daemon;

import com.google.protobuf.Timestamp;
import dev.gantry.cri.gantry.v1.GantryGrpc;
import dev.gantry.cri.gantry.v1.InfoRequest;
import dev.gantry.cri.gantry.v1.InfoResponse;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.time.Instant;
import java.util.TreeMap;

/// What the command line asks of the daemon beyond CRI: `gantry.v1` of cri-api.
final class GantryService extends GantryGrpc.GantryImplBase {

    private final Configuration configuration;
    private final Identity identity;
    private final Instant started = Instant.now();

    GantryService(Configuration configuration, Identity identity) {
        this.configuration = configuration;
        this.identity = identity;
    }

    @Override
    public void info(InfoRequest request, StreamObserver<InfoResponse> answer) {
        Configuration.Containers runtime = configuration.runtime();
        InfoResponse.Builder info = InfoResponse.newBuilder()
                .setVersion(identity.version())
                .setRevision(identity.revision())
                .setPid(ProcessHandle.current().pid())
                .setStartedAt(Timestamp.newBuilder()
                        .setSeconds(started.getEpochSecond())
                        .setNanos(started.getNano()))
                .setUptimeSeconds(Duration.between(started, Instant.now()).toSeconds())
                .setRoot(configuration.root().toString())
                .setState(configuration.state().toString())
                .setAddress(configuration.grpc().address().toString())
                .setDefaultHandler(runtime.defaultHandler())
                .setSnapshotter(configuration.storage().snapshotter())
                .setJavaVersion(Runtime.version().toString());
        new TreeMap<>(runtime.handlers()).forEach((name, handler) -> info.addHandlers(handler(name, handler)));
        answer.onNext(info.build());
        answer.onCompleted();
    }

    private InfoResponse.Handler handler(String name, Configuration.Handler handler) {
        return InfoResponse.Handler.newBuilder()
                .setName(name)
                .setShim(Programs.ofEnvironment()
                        .find(handler.shim())
                        .map(Object::toString)
                        .orElse(""))
                .setSnapshotter(
                        handler.snapshotter().isEmpty()
                                ? configuration.storage().snapshotter()
                                : handler.snapshotter())
                .build();
    }
}
