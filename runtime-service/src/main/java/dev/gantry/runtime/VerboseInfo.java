package dev.gantry.runtime;

import dev.gantry.cri.oci.Json;
import dev.gantry.sandbox.Sandbox;
import dev.gantry.sandbox.SandboxPlaces;
import dev.gantry.shim.LogCounters;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The `info` map of verbose status calls: one JSON object under the key `info`, with the member names that crictl and
/// critest read (`pid`, `config`, `runtimeSpec` …).
final class VerboseInfo {

    private final SandboxPlaces places;
    private final LiveContainers live;

    VerboseInfo(SandboxPlaces places, LiveContainers live) {
        this.places = places;
        this.live = live;
    }

    Map<String, String> of(Sandbox sandbox) {
        Map<String, @Nullable Object> info = new LinkedHashMap<>();
        info.put("pid", sandbox.pid());
        info.put("state", sandbox.state().name());
        info.put("snapshotKey", sandbox.id().value());
        info.put("snapshotter", sandbox.snapshotter());
        info.put("runtimeHandler", sandbox.handler());
        info.put("image", sandbox.pauseImage());
        info.put("cgroupParent", sandbox.cgroupParent());
        info.put("networkNamespace", places.networkNamespace(sandbox.id()).toString());
        info.put("directory", places.files(sandbox.id()).directory().toString());
        info.put("config", CriJson.of(CriSandboxes.message(sandbox.config())));
        info.put("runtimeSpec", spec(sandbox.id().value()));
        return encoded(info);
    }

    Map<String, String> of(Container container) {
        Map<String, @Nullable Object> info = new LinkedHashMap<>();
        info.put("sandboxID", container.sandbox().value());
        info.put("pid", container.pid());
        info.put("state", container.state().name());
        info.put("snapshotKey", container.id());
        info.put("snapshotter", container.snapshotter());
        info.put("cgroupPath", container.cgroupPath());
        live.find(container.id()).flatMap(it -> it.io.logCounters()).ifPresent(it -> info.put("log", log(it)));
        info.put("config", CriJson.of(container.config()));
        info.put("runtimeSpec", spec(container.id()));
        return encoded(info);
    }

    private static Map<String, Object> log(LogCounters counters) {
        Map<String, Object> log = new LinkedHashMap<>();
        log.put("bytes", counters.bytes());
        log.put("lines", counters.lines());
        log.put("lostBytes", counters.lostBytes());
        log.put("longestStallNanos", counters.longestStall().toNanos());
        return log;
    }

    private static Map<String, String> encoded(Map<String, @Nullable Object> info) {
        return Map.of("info", new String(Json.write(info), StandardCharsets.UTF_8));
    }

    /// The OCI spec as it was given to the runtime; gone with the bundle.
    private @Nullable Object spec(String id) {
        Path file = places.bundle(id).resolve("config.json");
        try {
            return Files.exists(file) ? Json.parse(Files.readAllBytes(file)) : null;
        } catch (IOException _) {
            return null;
        }
    }
}
