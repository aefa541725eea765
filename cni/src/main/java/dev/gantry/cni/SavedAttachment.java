package dev.gantry.cni;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// What is needed to take a container off its network again, whatever the node's configuration says by
/// then.
///
/// @param netns the path of the namespace's file
/// @param configList the network's configuration as JSON, whole, as it was used
/// @param capabilities the pod's wishes as JSON
/// @param result the last plugin's result, as it was; empty while the attachment is only intended
@SuppressWarnings("ArrayRecordComponent") // never compared
public record SavedAttachment(
        String containerId,
        String ifName,
        String netns,
        byte[] configList,
        Map<String, String> args,
        byte[] capabilities,
        Optional<byte[]> result,
        State state) {

    /// How far it has come.
    public enum State {
        /// Plugins may have run, or some of them.
        INTENDED,
        /// All plugins have succeeded.
        ATTACHED
    }

    public SavedAttachment {
        args = Collections.unmodifiableMap(new LinkedHashMap<>(args));
    }

    SavedAttachment attached(byte[] finalResult) {
        return new SavedAttachment(
                containerId, ifName, netns, configList, args, capabilities, Optional.of(finalResult), State.ATTACHED);
    }
}
