package dev.gantry.runtime;

import dev.gantry.cri.oci.Json;
import dev.gantry.linux.NetworkNamespaces;
import dev.gantry.sandbox.LinuxResources;
import dev.gantry.sandbox.RuntimeHandler;
import dev.gantry.sandbox.RuntimeHandlers;
import dev.gantry.sandbox.Sandbox;
import dev.gantry.sandbox.SandboxConfig;
import dev.gantry.sandbox.SandboxException;
import dev.gantry.sandbox.SandboxId;
import dev.gantry.sandbox.SandboxPlaces;
import dev.gantry.sandbox.SandboxState;
import dev.gantry.sandbox.Sandboxes;
import dev.gantry.shim.ConfiguredOptions;
import dev.gantry.shim.LogCounters;
import dev.gantry.shim.RuncOptions;
import dev.gantry.shim.ShimOptions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The `info` map of verbose status calls: one JSON object under the key `info`, with the member names that crictl,
/// critest and the tools around containerd read (`pid`, `config`, `runtimeSpec` …), and some of our own.
final class VerboseInfo {

    private final Sandboxes sandboxes;
    private final RuntimeHandlers handlers;
    private final SandboxPlaces places;
    private final LiveContainers live;

    VerboseInfo(Sandboxes sandboxes, RuntimeHandlers handlers, SandboxPlaces places, LiveContainers live) {
        this.sandboxes = sandboxes;
        this.handlers = handlers;
        this.places = places;
        this.live = live;
    }

    Map<String, String> of(Sandbox sandbox) {
        SandboxId id = sandbox.id();
        SandboxConfig config = sandbox.config();
        Path netns = places.networkNamespace(id);
        boolean own = !config.namespaces().hostNetwork();
        Map<String, @Nullable Object> info = new LinkedHashMap<>();
        info.put("pid", sandbox.pid());
        info.put("processStatus", sandbox.state() == SandboxState.READY ? "running" : "stopped");
        info.put("state", sandbox.state().name());
        info.put("netNamespaceClosed", own && !NetworkNamespaces.exists(netns));
        info.put("image", sandbox.pauseImage());
        info.put("snapshotKey", id.value());
        info.put("snapshotter", sandbox.snapshotter());
        putRuntime(info, sandbox.handler());
        info.put("config", CriJson.of(CriSandboxes.message(config)));
        info.put("runtimeSpec", spec(id.value()));
        info.put("cniResult", sandboxes.networkResult(id).map(Json::parse).orElse(null));
        config.overhead().ifPresent(it -> info.put("overhead", json(it)));
        config.resources().ifPresent(it -> info.put("resources", json(it)));
        info.put("cgroupParent", sandbox.cgroupParent());
        info.put("ownsCgroup", sandbox.ownsCgroup());
        info.put("networkNamespace", own ? netns.toString() : "");
        info.put("directory", places.files(id).directory().toString());
        return encoded(info);
    }

    Map<String, String> of(Container container) {
        Map<String, @Nullable Object> info = new LinkedHashMap<>();
        info.put("sandboxID", container.sandbox().value());
        info.put("pid", container.pid());
        info.put("removing", container.state() == ContainerState.REMOVING);
        info.put("state", container.state().name());
        info.put("snapshotKey", container.id());
        info.put("snapshotter", container.snapshotter());
        putRuntime(
                info,
                sandboxes
                        .find(container.sandbox().value())
                        .map(Sandbox::handler)
                        .orElse(""));
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

    /// A handler that is configured no more has only its name left.
    private void putRuntime(Map<String, @Nullable Object> info, String name) {
        Optional<RuntimeHandler> handler = handler(name);
        info.put("runtimeHandler", handler.map(RuntimeHandler::name).orElse(name));
        handler.ifPresent(it -> {
            info.put("runtimeType", it.shim().path().toString());
            info.put("runtimeOptions", options(it.options()));
        });
    }

    private static Map<String, @Nullable Object> options(ShimOptions of) {
        Map<String, @Nullable Object> options = new LinkedHashMap<>();
        switch (of) {
            case RuncOptions runc -> {
                options.put("binaryName", runc.binary().toString());
                options.put("root", runc.root().toString());
                options.put("systemdCgroup", runc.systemdCgroup());
            }
            case ConfiguredOptions configured -> {
                options.put("typeUrl", configured.type());
                options.put("configPath", configured.path());
            }
        }
        return options;
    }

    private Optional<RuntimeHandler> handler(String name) {
        try {
            return Optional.of(handlers.get(name));
        } catch (SandboxException.InvalidRequest _) {
            return Optional.empty();
        }
    }

    private static Map<String, @Nullable Object> json(LinuxResources resources) {
        return CriJson.of(CriSandboxes.message(resources));
    }

    private static Map<String, String> encoded(Map<String, @Nullable Object> info) {
        return Map.of("info", new String(Json.write(info), StandardCharsets.UTF_8));
    }

    /// The OCI spec as it was given to the runtime, and as we wrote it, so it is not read here; gone with the bundle.
    private @Nullable Object spec(String id) {
        try {
            return new Json.Written(Files.readString(places.bundle(id).resolve("config.json")));
        } catch (IOException _) {
            return null;
        }
    }
}
