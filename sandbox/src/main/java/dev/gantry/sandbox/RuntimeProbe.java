package dev.gantry.sandbox;

import dev.gantry.cri.oci.Features;
import dev.gantry.cri.oci.MalformedDocumentException;
import dev.gantry.linux.ErrnoException;
import dev.gantry.linux.Spawn;
import dev.gantry.linux.SpawnTimeoutException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Asks OCI runtimes what they can do. Each is asked once and again when its file has changed; one that gave no answer
/// may have been short of time, and is asked again after a minute. Thread-safe.
final class RuntimeProbe {

    private static final Logger log = LoggerFactory.getLogger(RuntimeProbe.class);
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final Duration RETRY = Duration.ofMinutes(1);
    private static final int LIMIT = 1 << 20;
    private static final String RUNC_VERSION = "org.opencontainers.runc.version";
    private static final Pattern VERSION_LINE = Pattern.compile("runc version (\\S+)");

    /// What a runtime said.
    ///
    /// @param runc its version if it is runc
    record Answer(Features features, Optional<String> runc) {
        static final Answer NONE = new Answer(Features.NONE, Optional.empty());
    }

    /// A version of a file, by what the file system tells of it.
    private record Edition(Path path, long modified, long size) {}

    private final Remembered<Edition, Answer> answers = new Remembered<>(RETRY);

    /// What the runtime answers; nothing if it is not there or knows no such question.
    Answer ask(Path binary) {
        Edition edition;
        try {
            edition = new Edition(binary, Files.getLastModifiedTime(binary).toMillis(), Files.size(binary));
        } catch (IOException _) {
            return Answer.NONE;
        }
        return answers.get(edition, it -> askNow(it.path())).orElse(Answer.NONE);
    }

    /// Empty if the runtime did not answer.
    private static Optional<Answer> askNow(Path binary) {
        try {
            Spawn.Result said =
                    Spawn.run(Spawn.command(binary.toString(), "features").limit(LIMIT), PATIENCE);
            if (said.ok() && !said.truncated()) {
                Features features = Features.parse(said.output(), "the features of " + binary);
                Answer answer = new Answer(
                        features,
                        Optional.ofNullable(features.annotations().get(RUNC_VERSION))
                                .filter(it -> !it.isEmpty()));
                warn(binary, answer);
                return Optional.of(answer);
            }
            Answer answer = new Answer(Features.NONE, version(binary));
            warn(binary, answer);
            return Optional.of(answer);
        } catch (ErrnoException | SpawnTimeoutException | MalformedDocumentException e) {
            log.atWarn()
                    .addKeyValue("binary", binary)
                    .setCause(e)
                    .log("an OCI runtime does not say what it can do, so nothing is offered that needs its word");
            return Optional.empty();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }

    /// Runtimes of before 2022 do not know the question, but do have a version.
    private static Optional<String> version(Path binary) throws InterruptedException {
        Spawn.Result said =
                Spawn.run(Spawn.command(binary.toString(), "--version").limit(LIMIT), PATIENCE);
        Matcher line = VERSION_LINE.matcher(said.outputText());
        return said.ok() && line.lookingAt() ? Optional.of(line.group(1)) : Optional.empty();
    }

    private static void warn(Path binary, Answer answer) {
        flaws(answer)
                .ifPresent(it -> log.atWarn().addKeyValue("binary", binary).log("{}; it is used all the same", it));
    }

    /// What is known to be wrong with the runtime.
    static Optional<String> flaws(Answer answer) {
        return answer.runc()
                .filter(it -> RuncVersion.parse(it)
                        .filter(RuncVersion::letsContainersOut)
                        .isPresent())
                .map(it -> ("runc %s lets containers out (CVE-2025-31133, CVE-2025-52565, CVE-2025-52881) unless its"
                                + " distribution has mended it; 1.2.8, 1.3.3 and 1.4.0 do not")
                        .formatted(it));
    }
}
