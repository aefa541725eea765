package dev.gantry.sandbox;

import dev.gantry.cni.Attachment;
import dev.gantry.cni.CniException;
import dev.gantry.cni.NetworkResult;
import dev.gantry.cni.PodNetworks;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Gives pods their network and takes it back.
public final class SandboxNetworks {

    private static final Logger log = LoggerFactory.getLogger(SandboxNetworks.class);
    private static final String INTERFACE = "eth0";

    private final PodNetworks networks;

    public SandboxNetworks(PodNetworks networks) {
        this.networks = networks;
    }

    /// Attaches the pod to the configured network.
    ///
    /// @return its addresses, the primary one first
    List<String> attach(Sandbox sandbox, Path netns, Rollback rollback) {
        String id = sandbox.id().value();
        SandboxMetadata metadata = sandbox.config().metadata();
        rollback.onFailure(() -> networks.detach(id, false));
        NetworkResult result = networks.attach(new Attachment(
                id,
                netns,
                INTERFACE,
                Map.of(
                        "K8S_POD_NAMESPACE", metadata.namespace(),
                        "K8S_POD_NAME", metadata.name(),
                        "K8S_POD_INFRA_CONTAINER_ID", id,
                        "K8S_POD_UID", metadata.uid()),
                NetworkWishes.of(sandbox)));
        List<String> ips = result.ips().stream().map(NetworkResult.Ip::address).toList();
        if (ips.isEmpty()) {
            throw new IllegalStateException(
                    "the network gave pod sandbox %s no address on %s".formatted(id, INTERFACE));
        }
        return ips;
    }

    /// Takes the pod off its network. A plugin that fails must not keep the pod: the journal keeps the attachment, and
    /// it is tried again when the sandbox is removed and when the daemon starts.
    void detach(SandboxId id, boolean namespaceGone) {
        try {
            networks.detach(id.value(), namespaceGone);
        } catch (CniException e) {
            log.atWarn()
                    .addKeyValue("sandbox", id)
                    .setCause(e)
                    .log("cannot take a pod off its network; its addresses stay in use until the plugin works again");
        }
    }
}
