package dev.gantry.sandbox;

import dev.gantry.linux.HostFacts;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/// AppArmor profiles, as requests name them.
public final class AppArmor {

    private static final Path LOADED = Path.of("/sys/kernel/security/apparmor/profiles");

    private AppArmor() {}

    /// The name of a profile that is loaded on this node.
    ///
    /// @param reference maybe with `localhost/` before it
    /// @throws SandboxException.InvalidRequest if it is not
    public static String loaded(String reference) {
        String name = reference.startsWith("localhost/") ? reference.substring("localhost/".length()) : reference;
        if (!HostFacts.apparmor()) {
            throw new SandboxException.InvalidRequest(
                    "AppArmor profile %s: the kernel of this node has no AppArmor".formatted(name));
        }
        try (Stream<String> lines = Files.lines(LOADED)) {
            if (lines.noneMatch(line -> line.startsWith(name + " ("))) {
                throw new SandboxException.InvalidRequest(
                        "AppArmor profile %s is not loaded on this node".formatted(name));
            }
            return name;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot see whether AppArmor profile %s is loaded".formatted(name), e);
        }
    }

    /// The profile of a pod's own process, empty for none. We ship none of our own, so that «default» means what the
    /// kernel does with a process that names none.
    static String ofPod(SecurityProfile profile) {
        return switch (profile) {
            case SecurityProfile.RuntimeDefault _, SecurityProfile.Unconfined _ -> "";
            case SecurityProfile.Localhost(String reference) -> loaded(reference);
        };
    }
}
