package dev.gantry.runtime;

import dev.gantry.cni.NetworkReadiness;
import dev.gantry.cri.oci.Json;
import dev.gantry.cri.runtime.v1.RuntimeCondition;
import dev.gantry.cri.runtime.v1.RuntimeFeatures;
import dev.gantry.cri.runtime.v1.RuntimeHandlerFeatures;
import dev.gantry.cri.runtime.v1.RuntimeStatus;
import dev.gantry.cri.runtime.v1.StatusResponse;
import dev.gantry.sandbox.RuntimeHandler;
import dev.gantry.sandbox.RuntimeHandlers;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.function.Supplier;

/// The answer to CRI `Status`: whether the daemon and the pods' network are ready, and why not.
final class StatusReport {

    private final Supplier<NetworkReadiness> network;
    private final RuntimeHandlers handlers;
    private final Supplier<Map<String, Object>> configuration;

    /// @param configuration what the daemon was told, for verbose answers
    StatusReport(
            Supplier<NetworkReadiness> network, RuntimeHandlers handlers, Supplier<Map<String, Object>> configuration) {
        this.network = network;
        this.handlers = handlers;
        this.configuration = configuration;
    }

    StatusResponse build(boolean verbose) {
        StatusResponse.Builder response = StatusResponse.newBuilder()
                .setStatus(RuntimeStatus.newBuilder()
                        .addConditions(RuntimeCondition.newBuilder()
                                .setType("RuntimeReady")
                                .setStatus(true))
                        .addConditions(networkReady()))
                .setFeatures(RuntimeFeatures.newBuilder().setSupplementalGroupsPolicy(true));
        // The default handler is also listed without a name: the kubelet asks for "" when a pod names none.
        response.addRuntimeHandlers(message("", handlers.defaultHandler()));
        handlers.all().forEach(it -> response.addRuntimeHandlers(message(it.name(), it)));
        if (verbose) {
            response.putInfo("config", new String(Json.write(configuration.get()), StandardCharsets.UTF_8));
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

    private static dev.gantry.cri.runtime.v1.RuntimeHandler message(String name, RuntimeHandler handler) {
        return dev.gantry.cri.runtime.v1.RuntimeHandler.newBuilder()
                .setName(name)
                .setFeatures(RuntimeHandlerFeatures.getDefaultInstance())
                .build();
    }
}
