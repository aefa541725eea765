package dev.gantry.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gantry.cri.oci.Features;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RuntimeProbeTest {

    @TempDir
    private Path directory;

    private final RuntimeProbe probe = new RuntimeProbe();

    /// A runtime that answers so and counts the questions.
    private Path runtime(String name, String body) throws IOException {
        Path binary = directory.resolve(name);
        Files.writeString(binary, "#!/bin/sh\necho asked >>" + asked(binary) + "\n" + body);
        Files.setPosixFilePermissions(binary, PosixFilePermissions.fromString("rwxr-xr-x"));
        return binary;
    }

    private static Path asked(Path binary) {
        return binary.resolveSibling(binary.getFileName() + ".asked");
    }

    private static int questions(Path binary) throws IOException {
        return Files.readAllLines(asked(binary)).size();
    }

    @Test
    void asksOnceForEachVersionOfTheFile() throws IOException {
        Path binary = runtime("runc", "echo '{\"mountOptions\": [\"rro\"]}'\n");

        assertThat(probe.ask(binary).features().mountOptions()).containsExactly("rro");
        probe.ask(binary);
        assertThat(questions(binary)).isEqualTo(1);

        Files.writeString(binary, "#!/bin/sh\necho '{}'\n");
        Files.setLastModifiedTime(binary, FileTime.fromMillis(1_000_000_000_000L));
        assertThat(probe.ask(binary).features()).isEqualTo(Features.NONE);
    }

    @Test
    void takesNoAnswerForNothing() throws IOException {
        Path garbled = runtime("garbled", "echo nonsense\n");

        assertThat(probe.ask(directory.resolve("absent"))).isEqualTo(RuntimeProbe.Answer.NONE);
        assertThat(probe.ask(garbled)).isEqualTo(RuntimeProbe.Answer.NONE);
        probe.ask(garbled);
        assertThat(questions(garbled)).as("not asked again at once").isEqualTo(1);
    }

    @Test
    void knowsTheVersionOfARuncThatDoesNotKnowTheQuestion() throws IOException {
        Path old = runtime("old", "[ \"$1\" = --version ] || exit 1\necho 'runc version 1.0.3'\n");
        Path other = runtime("other", "[ \"$1\" = --version ] || exit 1\necho 'crun version 1.8.1'\n");

        assertThat(probe.ask(old)).isEqualTo(new RuntimeProbe.Answer(Features.NONE, Optional.of("1.0.3")));
        assertThat(RuntimeProbe.flaws(probe.ask(old)))
                .hasValueSatisfying(it -> assertThat(it).startsWith("runc 1.0.3 lets containers out (CVE-2025-31133"));
        assertThat(probe.ask(other)).isEqualTo(RuntimeProbe.Answer.NONE);
    }

    @Test
    void findsNoFaultWithNewerOnes() throws IOException {
        Path binary = runtime("new", "echo '{\"annotations\": {\"org.opencontainers.runc.version\": \"1.5.2\"}}'\n");

        assertThat(probe.ask(binary).runc()).hasValue("1.5.2");
        assertThat(RuntimeProbe.flaws(probe.ask(binary))).isEmpty();
    }
}
