package dev.gantry.runtime;

import dev.gantry.cni.NetworkReadiness;
import dev.gantry.cri.oci.Json;
import dev.gantry.cri.runtime.v1.RuntimeCondition;
import dev.gantry.cri.runtime.v1.RuntimeFeatures;
import dev.gantry.cri.runtime.v1.RuntimeHandlerFeatures;
import dev.gantry.cri.runtime.v1.RuntimeStatus;
import dev.gantry.cri.runtime.v1.StatusResponse;
import dev.gantry.sandbox.HandlerFeatures;
import dev.gantry.sandbox.RuntimeHandler;
import dev.gantry.sandbox.RuntimeHandlers;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/// The answer to CRI `Status`: whether the daemon and the pods' network are ready, and why not.
final class StatusReport {

    private final Supplier<NetworkReadiness> network;
    private final RuntimeHandlers handlers;
    private final HandlerFeatures features;
    private final Supplier<Map<String, Object>> configuration;

    /// @param configuration what the daemon was told, for verbose answers
    StatusReport(
            Supplier<NetworkReadiness> network,
            RuntimeHandlers handlers,
            HandlerFeatures features,
            Supplier<Map<String, Object>> configuration) {
        this.network = network;
        this.handlers = handlers;
        this.features = features;
        this.configuration = configuration;
    }

    StatusResponse build(boolean verbose) {
        StatusResponse.Builder response = StatusResponse.newBuilder()
                .setStatus(RuntimeStatus.newBuilder()
                        .addConditions(RuntimeCondition.newBuilder()
                                .setType("RuntimeReady")
                                .setStatus(true))
                        .addConditions(networkReady())
                        .addConditions(noKnownFlaws()))
                .setFeatures(RuntimeFeatures.newBuilder()
                        .setSupplementalGroupsPolicy(true)
                        .setUserNamespacesHostNetwork(handlers.all().stream().anyMatch(this::separatesUsers))
                        .setMountOptions(true));
        // The default handler is also listed without a name: the kubelet asks for "" when a pod names none.
        response.addRuntimeHandlers(message("", handlers.defaultHandler()));
        handlers.all().forEach(it -> response.addRuntimeHandlers(message(it.name(), it)));
        if (verbose) {
            response.putInfo("config", new String(Json.write(configuration.get()), StandardCharsets.UTF_8));
            NetworkReadiness readiness = network.get();
            response.putInfo("lastCNILoadStatus", readiness.ready() ? "OK" : readiness.message());
        }
        return response.build();
    }

    private RuntimeCondition networkReady() {
        NetworkReadiness readiness = network.get();
        RuntimeCondition.Builder condition =
                RuntimeCondition.newBuilder().setType("NetworkReady").setStatus(readiness.ready());
        if (!readiness.ready()) {
            condition.setReason(readiness.reason()).setMessage(readiness.message());
        }
        return condition.build();
    }

    /// For the operator: neither the kubelet nor a pod is kept from anything.
    private RuntimeCondition noKnownFlaws() {
        List<String> flaws = handlers.all().stream()
                .flatMap(it -> features.flaws(it).stream().map(flaw -> it.name() + ": " + flaw))
                .toList();
        RuntimeCondition.Builder condition =
                RuntimeCondition.newBuilder().setType("NoKnownFlaws").setStatus(flaws.isEmpty());
        if (!flaws.isEmpty()) {
            condition.setReason("OldRuntime").setMessage(String.join("; ", flaws));
        }
        return condition.build();
    }

    private boolean separatesUsers(RuntimeHandler handler) {
        return features.noUserNamespaces(handler).isEmpty();
    }

    private dev.gantry.cri.runtime.v1.RuntimeHandler message(String name, RuntimeHandler handler) {
        return dev.gantry.cri.runtime.v1.RuntimeHandler.newBuilder()
                .setName(name)
                .setFeatures(RuntimeHandlerFeatures.newBuilder()
                        .setRecursiveReadOnlyMounts(features.recursiveReadOnly(handler))
                        .setUserNamespaces(separatesUsers(handler)))
                .build();
    }
}
