package dev.gantry.sandbox;

import dev.gantry.linux.ErrnoException;
import dev.gantry.linux.Spawn;
import dev.gantry.linux.SpawnTimeoutException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The AppArmor profile of containers that ask for the runtime's default one. Thread-safe.
///
/// It is loaded once by each daemon, as one of before may have had another wording, and again when somebody has removed
/// it (`aa-remove-unknown` does that to all profiles that are in no file). The kernel itself passes over a profile that
/// it has in the same wording.
final class AppArmorDefault {

    static final String NAME = "gantry-default";

    private static final Logger log = LoggerFactory.getLogger(AppArmorDefault.class);
    private static final String TEXT = NAME + ".apparmor";
    private static final String ATTEMPT =
            ("cannot load AppArmor profile %s (apparmor_parser, of the package apparmor, must"
                            + " be in PATH and take it; a pod can do without by asking for the profile Unconfined)")
                    .formatted(NAME);
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    /// What means itself in a profile, where other characters may stand for any.
    private static final Pattern PLAIN_LABEL = Pattern.compile("[\\w./-]+");

    private final AppArmorProfiles loaded;
    private final Path attributes;
    private final String parser;
    private final ReentrantLock lock = new ReentrantLock();
    /// Whether what is loaded was looked after by this daemon; guarded by the lock.
    private boolean settled;

    /// @param attributes what the kernel tells of the daemon's own labels
    AppArmorDefault(AppArmorProfiles loaded, Path attributes, String parser) {
        this.loaded = loaded;
        this.attributes = attributes;
        this.parser = parser;
    }

    /// Its name, once it is in the kernel.
    ///
    /// @throws SandboxException.Failed when it cannot be loaded
    String load() {
        lock.lock();
        try {
            if (!settled || !loaded.has(NAME)) {
                settle();
                settled = true;
            }
            return NAME;
        } finally {
            lock.unlock();
        }
    }

    private void settle() {
        try {
            parse(text());
            log.atInfo().addKeyValue("profile", NAME).log("AppArmor profile loaded");
        } catch (SandboxException.Failed e) {
            if (!loaded.has(NAME)) {
                throw e;
            }
            log.atWarn().addKeyValue("profile", NAME).setCause(e).log("the AppArmor profile of before stays");
        }
    }

    private void parse(String text) {
        try {
            Spawn.Result result = Spawn.run(
                    Spawn.command(parser, "--replace")
                            .input(text.getBytes(StandardCharsets.UTF_8))
                            .mergingErrors(),
                    PATIENCE);
            // It does not fail each time that it has loaded nothing.
            if (!result.ok() || !loaded.has(NAME)) {
                throw new SandboxException.Failed(
                        "%s: %s ended with %d: %s".formatted(ATTEMPT, parser, result.exitCode(), result.errorText()),
                        null);
            }
        } catch (ErrnoException | SpawnTimeoutException e) {
            throw new SandboxException.Failed(ATTEMPT, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new SandboxException.Failed(ATTEMPT, e);
        }
    }

    private String text() {
        try (InputStream in = Objects.requireNonNull(AppArmorDefault.class.getResourceAsStream(TEXT), TEXT)) {
            return "@{gantryd}=%s%n%s".formatted(ownLabel(), new String(in.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + TEXT, e);
        }
    }

    /// As a pattern. The kernel says `name (mode)`, or `unconfined` alone; nothing where it tells of no label.
    private String ownLabel() throws IOException {
        for (String file : List.of("apparmor/current", "current")) {
            Path current = attributes.resolve(file);
            if (Files.isReadable(current)) {
                String label = Files.readString(current).strip().replaceFirst(" \\(\\w+\\)$", "");
                return PLAIN_LABEL.matcher(label).matches() ? label : "**";
            }
        }
        return "unconfined";
    }
}
