package dev.gantry.sandbox;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The AppArmor profiles of this node, as requests name them. Thread-safe.
///
/// A request that names none means the default one as well (kubernetes/kubernetes#51746): the kubelet asks for nothing
/// else in ordinary pods. As it does not insist, its processes run without where the default one cannot be loaded.
public final class AppArmor {

    private static final Logger log = LoggerFactory.getLogger(AppArmor.class);

    private final Path parameter;
    private final AppArmorProfiles loaded;
    private final AppArmorDefault defaults;
    private final AtomicBoolean toldOfLack = new AtomicBoolean();

    public AppArmor() {
        this(Path.of("/"), "apparmor_parser");
    }

    /// @param root   where `sys` and `proc` are
    /// @param parser what loads profiles
    public AppArmor(Path root, String parser) {
        this.parameter = root.resolve("sys/module/apparmor/parameters/enabled");
        this.loaded = new AppArmorProfiles(root.resolve("sys/kernel/security/apparmor/profiles"));
        this.defaults = new AppArmorDefault(loaded, root.resolve("proc/self/attr"), parser);
    }

    /// Loads the default profile, so that the first pod need not wait for it.
    public void prepare() {
        var _ = profile(new SecurityProfile.Unset(), false);
    }

    /// The name of the profile that a process is to have; empty if it has that of who starts it.
    ///
    /// @throws SandboxException.InvalidRequest when the profile is none of this node
    /// @throws SandboxException.Failed         when the default one is asked for and cannot be loaded
    public String profile(SecurityProfile asked, boolean privileged) {
        if (!enabled()) {
            if (asked instanceof SecurityProfile.Localhost(String reference)) {
                throw new SandboxException.InvalidRequest(
                        "AppArmor profile %s: the kernel of this node has no AppArmor".formatted(name(reference)));
            }
            return "";
        }
        return switch (asked) {
            case SecurityProfile.Unset _ -> privileged ? "" : defaultIfPossible();
            case SecurityProfile.RuntimeDefault _ -> privileged ? "" : defaults.load();
            case SecurityProfile.Unconfined _ -> "unconfined";
            case SecurityProfile.Localhost(String reference) -> ofNode(name(reference));
        };
    }

    /// Without the list of what is loaded there is no AppArmor for us: it is missing in a container with the kernel of
    /// a node that has AppArmor, which is not allowed to load anything either.
    private boolean enabled() {
        try {
            return Files.exists(parameter) && Files.readString(parameter).startsWith("Y") && loaded.known();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot see whether the kernel has AppArmor", e);
        }
    }

    private String defaultIfPossible() {
        try {
            return defaults.load();
        } catch (SandboxException.Failed e) {
            if (toldOfLack.compareAndSet(false, true)) {
                log.atWarn().setCause(e).log("containers that name no AppArmor profile run without one");
            }
            return "";
        }
    }

    private String ofNode(String name) {
        if (!loaded.has(name)) {
            throw new SandboxException.InvalidRequest("AppArmor profile %s is not loaded on this node".formatted(name));
        }
        return name;
    }

    private static String name(String reference) {
        return reference.startsWith("localhost/") ? reference.substring("localhost/".length()) : reference;
    }
}
