package dev.gantry.cni;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A pod's network could not be made, checked or taken away.
public abstract sealed class CniException extends RuntimeException {

    private CniException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }

    /// There is no usable network configuration on this node.
    public static final class NotConfigured extends CniException {
        public NotConfigured(String message) {
            super(message, null);
        }
    }

    /// A network configuration, or one that was saved, cannot be used; the message names it.
    public static final class MalformedConfig extends CniException {
        public MalformedConfig(String config, String reason) {
            super("cannot use network configuration " + config + ": " + reason, null);
        }
    }

    /// The request has a value that cannot be passed to a plugin.
    public static final class InvalidRequest extends CniException {
        public InvalidRequest(String message) {
            super(message, null);
        }
    }

    /// The container has no saved attachment.
    public static final class NotAttached extends CniException {
        public NotAttached(String containerId) {
            super("container " + containerId + " is attached to no network", null);
        }
    }

    /// A plugin's program is in none of the folders.
    public static final class PluginMissing extends CniException {
        public PluginMissing(String plugin, List<Path> folders) {
            super("cannot find network plugin " + plugin + " in " + folders, null);
        }
    }

    /// A plugin answered with an error, or not as the specification wants it.
    public static final class PluginFailed extends CniException {
        private final String plugin;
        private final int code;
        private final String reason;
        private final String details;

        /// @param action such as `add container x to network y`
        /// @param code of the CNI specification, section "Error"; 0 when the plugin gave none
        /// @param reason the plugin's `msg`, or what it wrote instead
        /// @param details the plugin's `details`, may be empty
        public PluginFailed(String action, String plugin, int code, String reason, String details) {
            this(action, plugin, code, reason, details, null);
        }

        PluginFailed(String action, String plugin, int code, String reason, String details, @Nullable Throwable cause) {
            super(
                    "cannot %s: plugin %s failed%s: %s%s"
                            .formatted(
                                    action,
                                    plugin,
                                    code == 0 ? "" : " with code " + code,
                                    reason,
                                    details.isEmpty() ? "" : " (" + details + ")"),
                    cause);
            this.plugin = plugin;
            this.code = code;
            this.reason = reason;
            this.details = details;
        }

        public String plugin() {
            return plugin;
        }

        public int code() {
            return code;
        }

        public String reason() {
            return reason;
        }

        public String details() {
            return details;
        }
    }

    /// A plugin did not end in time; it was killed.
    public static final class TimedOut extends CniException {
        public TimedOut(String action, String plugin, Duration limit, Throwable cause) {
            super("cannot %s: plugin %s did not end within %s".formatted(action, plugin, limit), cause);
        }
    }

    /// The calling thread was interrupted while a plugin ran; the plugin was killed.
    public static final class Interrupted extends CniException {
        public Interrupted(String action, InterruptedException cause) {
            super("cannot " + action + ": interrupted", cause);
        }
    }
}
