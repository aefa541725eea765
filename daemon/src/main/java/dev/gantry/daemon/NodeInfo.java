package dev.gantry.daemon;

import dev.gantry.cri.gantry.v1.InfoResponse;
import dev.gantry.linux.Cgroups;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.TreeMap;

/// How this daemon is set up, for `gantry.v1`.
final class NodeInfo {

    private final Instant started = Instant.now();
    private final InfoResponse fixed;

    /// @param file of the configuration, if one was read
    /// @param cgroupDriver the one in use
    NodeInfo(Configuration configuration, Optional<Path> file, String cgroupDriver, Identity identity) {
        Configuration.Containers runtime = configuration.runtime();
        InfoResponse.Builder info = InfoResponse.newBuilder()
                .setVersion(identity.version())
                .setRevision(identity.revision())
                .setPid(ProcessHandle.current().pid())
                .setStartedAt(StoreMessages.time(started))
                .setRoot(configuration.root().toString())
                .setState(configuration.state().toString())
                .setAddress(configuration.grpc().address().toString())
                .setConfigPath(file.map(Path::toString).orElse(""))
                .setCgroupDriver(cgroupDriver)
                .setCgroupVersion(Cgroups.version() == Cgroups.Version.V2 ? 2 : 1)
                .setDefaultHandler(runtime.defaultHandler())
                .setSnapshotter(configuration.storage().snapshotter())
                .setJavaVersion(Runtime.version().toString());
        new TreeMap<>(runtime.handlers())
                .forEach((name, handler) -> info.addHandlers(
                        handler(name, handler, configuration.storage().snapshotter())));
        this.fixed = info.build();
    }

    InfoResponse now() {
        long uptime = Duration.between(started, Instant.now()).toSeconds();
        return fixed.toBuilder().setUptimeSeconds(uptime).build();
    }

    private static InfoResponse.Handler handler(String name, HandlerSettings handler, String usual) {
        return InfoResponse.Handler.newBuilder()
                .setName(name)
                .setShim(Programs.ofEnvironment()
                        .find(handler.shim())
                        .map(Path::toString)
                        .orElse(""))
                .setSnapshotter(handler.snapshotter().isEmpty() ? usual : handler.snapshotter())
                .build();
    }
}
