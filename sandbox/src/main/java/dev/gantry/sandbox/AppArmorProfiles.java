package dev.gantry.sandbox;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/// The AppArmor profiles in the kernel, which lists each with its mode, such as `gantry-default (enforce)`.
record AppArmorProfiles(Path list) {

    /// Whether the kernel lists them at all, and to us.
    boolean known() {
        // Who may not know the rules fails at opening, though the file's mode lets everybody read it.
        try (InputStream _ = Files.newInputStream(list)) {
            return true;
        } catch (IOException _) {
            return false;
        }
    }

    boolean has(String name) {
        try (Stream<String> lines = Files.lines(list)) {
            return lines.anyMatch(line -> line.startsWith(name + " ("));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot see whether AppArmor profile %s is loaded".formatted(name), e);
        }
    }
}
