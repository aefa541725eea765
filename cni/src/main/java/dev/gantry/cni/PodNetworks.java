package dev.gantry.cni;

import dev.gantry.cri.oci.Json;
import dev.gantry.linux.KeyedLocks;
import dev.gantry.linux.OwnThread;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Attaches pods to the node's network and detaches them.
///
/// For one container there is never more than one operation at a time; those of different containers
/// do not wait for each other. Every call blocks its thread while plugins run.
public final class PodNetworks {

    private static final Logger log = LoggerFactory.getLogger(PodNetworks.class);
    private static final Duration STATUS_LIMIT = Duration.ofSeconds(5);

    private final NetworkConfigs configs;
    private final PluginRunner plugins;
    private final NetworkJournal journal;
    private final KeyedLocks locks = new KeyedLocks();
    private final PluginStatus pluginStatus = new PluginStatus();

    public PodNetworks(NetworkConfigs configs, PluginRunner plugins, NetworkJournal journal) {
        this.configs = configs;
        this.plugins = plugins;
        this.journal = journal;
    }

    /// Runs the ADD chain. The intent is in the journal before the first plugin runs, the result when
    /// this returns. After a failure the DEL chain has been run; if that failed too (suppressed in what is
    /// thrown) the journal keeps the attachment, and [#detach] tries again.
    ///
    /// A container that is attached already, or half so, is detached first.
    public NetworkResult attach(Attachment attachment) {
        try (KeyedLocks.Held _ = locks.lock(attachment.containerId())) {
            NetworkConfig network = configs.current().required(configs.folder());
            network.plugins().forEach(plugin -> plugins.find(plugin.type()));
            journal.find(attachment.containerId()).ifPresent(earlier -> delete(earlier, false));
            SavedAttachment intent = PluginChain.intent(attachment, network);
            journal.save(intent);
            return add(intent);
        }
    }

    private NetworkResult add(SavedAttachment intent) {
        try {
            byte[] result = new PluginChain(plugins, intent).add();
            journal.save(intent.attached(result));
            return NetworkResult.parse(result, intent.ifName());
        } catch (RuntimeException failure) {
            try {
                delete(intent, false);
            } catch (RuntimeException second) {
                failure.addSuppressed(second);
            }
            throw failure;
        }
    }

    /// Runs the DEL chain with the configuration and the result of then; a container that is in the
    /// journal no more is detached already. Goes on to its end when the caller is interrupted. After a
    /// failure the journal keeps the attachment for another try.
    ///
    /// @param netnsGone whether the network namespace is gone, as after a reboot
    public void detach(String containerId, boolean netnsGone) {
        try (KeyedLocks.Held _ = locks.lock(containerId)) {
            journal.find(containerId).ifPresent(attachment -> delete(attachment, netnsGone));
        }
    }

    /// Forgets an attachment that cannot be detached. What its plugins hold (an address, a port) stays.
    public void abandon(String containerId) {
        try (KeyedLocks.Held _ = locks.lock(containerId)) {
            journal.find(containerId)
                    .ifPresent(_ -> log.atWarn()
                            .addKeyValue("container", containerId)
                            .log("network attachment abandoned; what its plugins hold may have leaked"));
            journal.forget(containerId);
        }
    }

    private void delete(SavedAttachment attachment, boolean netnsGone) {
        OwnThread.call("cni-del", () -> {
            new PluginChain(plugins, attachment).delete(netnsGone);
            journal.forget(attachment.containerId());
            return true;
        });
    }

    /// Has the plugins look whether all is as ADD made it; nothing to do where the version or the
    /// configuration leaves that out.
    public void check(String containerId) {
        try (KeyedLocks.Held _ = locks.lock(containerId)) {
            new PluginChain(plugins, attached(containerId)).check();
        }
    }

    /// The saved result of an attached container, without running anything.
    public Optional<NetworkResult> result(String containerId) {
        return journal.find(containerId)
                .flatMap(attachment -> attachment.result().map(raw -> NetworkResult.parse(raw, attachment.ifName())));
    }

    private SavedAttachment attached(String containerId) {
        return journal.find(containerId)
                .filter(attachment -> attachment.state() == SavedAttachment.State.ATTACHED)
                .orElseThrow(() -> new CniException.NotAttached(containerId));
    }

    /// Whether there is a configuration, its programs are there, and those of version 1.1 say that they
    /// can attach (STATUS), which is asked for again after ten seconds at the earliest.
    public NetworkReadiness status() {
        try {
            NetworkConfigs.Loaded loaded = configs.current();
            NetworkConfig network = loaded.required(configs.folder());
            network.plugins().forEach(plugin -> plugins.find(plugin.type()));
            if (network.version().hasStatus()) {
                pluginStatus.check(network, () -> askStatus(network));
            }
            return NetworkReadiness.yes();
        } catch (CniException e) {
            return NetworkReadiness.no(String.valueOf(e.getMessage()));
        }
    }

    private void askStatus(NetworkConfig network) {
        String action = "get the status of network " + network.name();
        List<PluginConfig> asked = network.plugins().stream()
                .filter(plugin -> plugins.supports(plugin.type(), network.version()))
                .toList();
        JsonObject none = new JsonObject(new LinkedHashMap<>());
        for (PluginConfig plugin : asked) {
            byte[] input = plugin.input(network.name(), network.version(), none, Optional.empty());
            plugins.run(new PluginRunner.Call(action, "STATUS", plugin.type(), Map.of(), input, STATUS_LIMIT));
        }
    }

    /// The network that the next pod will get, for the verbose Status: name, version and plugins as JSON;
    /// empty when there is none.
    public Optional<String> describe() {
        return configs.current()
                .config()
                .map(network -> new String(
                        Json.write(Map.of(
                                "name",
                                network.name(),
                                "cniVersion",
                                network.version().toString(),
                                "plugins",
                                network.plugins().stream()
                                        .map(PluginConfig::type)
                                        .toList())),
                        StandardCharsets.UTF_8));
    }
}
