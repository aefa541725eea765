package dev.gantry.cni;

import dev.gantry.cri.oci.Json;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// The plugins of one network, called for one container as its saved attachment says.
final class PluginChain {

    private final PluginRunner runner;
    private final SavedAttachment attachment;
    private final NetworkConfig network;
    private final JsonObject wishes;

    PluginChain(PluginRunner runner, SavedAttachment attachment) {
        this.runner = runner;
        this.attachment = attachment;
        this.network = NetworkConfig.ofSaved(attachment.configList(), attachment.containerId());
        this.wishes = saved(attachment.capabilities());
    }

    /// Calls ADD in order, each with the result of the one before; returns the last one's.
    byte[] add() {
        Deadline deadline = new Deadline(runner.addTimeout());
        String action = "add container %s to network %s".formatted(attachment.containerId(), network.name());
        byte[] last = new byte[0];
        Optional<JsonObject> previous = Optional.empty();
        for (PluginConfig plugin : network.plugins()) {
            last = call(action, "ADD", plugin, attachment.netns(), previous, deadline.left());
            previous = Optional.of(result(action, plugin, last));
        }
        return last;
    }

    /// Calls CHECK in order, where the version and the configuration have it.
    void check() {
        if (network.disableCheck() || !network.version().hasCheck()) {
            return;
        }
        Deadline deadline = new Deadline(runner.addTimeout());
        String action = "check container %s on network %s".formatted(attachment.containerId(), network.name());
        for (PluginConfig plugin : network.plugins()) {
            call(action, "CHECK", plugin, attachment.netns(), savedResult(), deadline.left());
        }
    }

    /// Calls DEL in reverse. A plugin that fails does not keep the others from it, and one that hangs
    /// leaves them their share of the time; the first failure is thrown, with the others in it.
    ///
    /// @param netnsGone whether the namespace is known to be gone; that its file is not there counts too
    void delete(boolean netnsGone) {
        Deadline deadline = new Deadline(runner.delTimeout());
        String action = "remove container %s from network %s".formatted(attachment.containerId(), network.name());
        boolean gone = netnsGone || !Files.exists(Path.of(attachment.netns()));
        Optional<JsonObject> result = network.version().hasCheck() ? savedResult() : Optional.empty();
        @Nullable CniException failure = null;
        int left = network.plugins().size();
        for (PluginConfig plugin : network.plugins().reversed()) {
            try {
                Duration share = deadline.left().dividedBy(left--);
                call(action, "DEL", plugin, gone ? "" : attachment.netns(), result, share);
            } catch (CniException e) {
                if (failure == null) {
                    failure = e;
                } else {
                    failure.addSuppressed(e);
                }
            }
        }
        if (failure != null) {
            throw failure;
        }
    }

    private byte[] call(
            String action,
            String command,
            PluginConfig plugin,
            String netns,
            Optional<JsonObject> previous,
            Duration limit) {
        byte[] input = plugin.input(network.name(), network.version(), wishes, previous);
        return runner.run(new PluginRunner.Call(action, command, plugin.type(), environment(netns), input, limit));
    }

    private Map<String, String> environment(String netns) {
        Map<String, String> args = new LinkedHashMap<>();
        args.put("IgnoreUnknown", "1");
        args.putAll(attachment.args());
        return Map.of(
                "CNI_CONTAINERID",
                attachment.containerId(),
                "CNI_NETNS",
                netns,
                "CNI_IFNAME",
                attachment.ifName(),
                "CNI_ARGS",
                args.entrySet().stream()
                        .map(arg -> arg.getKey() + "=" + arg.getValue())
                        .collect(Collectors.joining(";")));
    }

    private Optional<JsonObject> savedResult() {
        return attachment.result().map(this::saved);
    }

    private JsonObject saved(byte[] json) {
        try {
            return JsonObject.parse(json);
        } catch (JsonObject.WrongType e) {
            throw new CniException.MalformedConfig(
                    "saved for container " + attachment.containerId(), String.valueOf(e.getMessage()));
        }
    }

    private JsonObject result(String action, PluginConfig plugin, byte[] output) {
        try {
            NetworkResult.parse(output, attachment.ifName());
            return JsonObject.parse(output);
        } catch (JsonObject.WrongType e) {
            throw new CniException.PluginFailed(action, plugin.type(), 0, "bad result: " + e.getMessage(), "", e);
        }
    }

    static SavedAttachment intent(Attachment attachment, NetworkConfig network) {
        return new SavedAttachment(
                attachment.containerId(),
                attachment.ifName(),
                attachment.netns().toString(),
                network.saved(),
                attachment.args(),
                Json.write(attachment.capabilities().toJson()),
                Optional.empty(),
                SavedAttachment.State.INTENDED);
    }
}
