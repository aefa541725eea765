package dev.gantry.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Optional;

/// A folder of verifiers, which are shell scripts.
record Verifiers(Path folder) {

    static Verifiers in(Path folder) throws IOException {
        return new Verifiers(mode(Files.createDirectories(folder), "rwxr-xr-x"));
    }

    ImageSettings.Verifiers settings() {
        return settings(Duration.ofSeconds(30));
    }

    ImageSettings.Verifiers settings(Duration timeout) {
        return new ImageSettings.Verifiers(Optional.of(folder), 10, timeout);
    }

    Path add(String name, String script) throws IOException {
        return mode(Files.writeString(folder.resolve(name), "#!/bin/sh\n" + script + "\n"), "rwxr-xr-x");
    }

    static Path mode(Path path, String permissions) throws IOException {
        return Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(permissions));
    }
}
