package dev.gantry.image;

import dev.gantry.cri.oci.Descriptor;
import dev.gantry.cri.oci.MediaTypes;
import dev.gantry.linux.ErrnoException;
import dev.gantry.linux.Spawn;
import dev.gantry.linux.SpawnTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The image policy of a node: programs that must all accept an image before it is pulled. They are called as
/// containerd calls its image verifiers, so that those serve here; the second line is their input:
///
/// ```
/// VERIFIER -name docker.io/library/nginx:1 -digest sha256:6c3c… -stdin-media-type
/// application/vnd.oci.descriptor.v1+json
/// {"mediaType":"application/vnd.oci.image.index.v1+json","digest":"sha256:6c3c…","size":1609}
/// ```
///
/// 0 means yes and anything else no; what a verifier writes to its standard output is the reason. Whatever keeps one
/// from answering counts as no. The folder is read anew each time, so that a change counts from the next pull on.
/// Thread-safe.
final class ImageVerifiers {

    private static final Logger log = LoggerFactory.getLogger(ImageVerifiers.class);

    private static final int OUTPUT_LIMIT = 16 * 1024;

    /// A client takes 8 KiB of headers, in which a message is, nine bytes for the worst characters.
    private static final int REASON_LIMIT = 600;

    /// What pulls run at the same time, all together: they can be as many as there are calls.
    static final int AT_ONCE = 4;

    /// What a program needs to find others and the way to a registry; the rest of the daemon's is none of its business.
    static final List<String> ENVIRONMENT = List.of(
            "PATH",
            "HOME",
            "TMPDIR",
            "HTTP_PROXY",
            "HTTPS_PROXY",
            "NO_PROXY",
            "http_proxy",
            "https_proxy",
            "no_proxy",
            "SSL_CERT_FILE",
            "SSL_CERT_DIR");

    private static final String USUAL_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    private final ImageSettings.Verifiers settings;
    private final Map<String, String> environment = environment(System.getenv());
    private final Semaphore places = new Semaphore(AT_ONCE, true);

    ImageVerifiers(ImageSettings.Verifiers settings) {
        this.settings = settings;
    }

    private static Map<String, String> environment(Map<String, String> all) {
        Map<String, String> some = new LinkedHashMap<>(Map.of("PATH", USUAL_PATH));
        ENVIRONMENT.forEach(name -> Optional.ofNullable(all.get(name)).ifPresent(value -> some.put(name, value)));
        return some;
    }

    /// Asks them all, one after the other, until one says no.
    ///
    /// @param descriptor of what the name leads to, an index or a manifest
    /// @throws ImageException.SignatureRefused naming image and verifier
    void requireAccepted(Reference reference, Descriptor descriptor) throws InterruptedException {
        Optional<Path> directory = settings.directory();
        if (directory.isPresent()) {
            Question question = new Question(reference, descriptor);
            List<Path> verifiers = verifiers(directory.get(), question);
            if (verifiers.isEmpty()) {
                log.atWarn()
                        .addKeyValue("image", reference)
                        .log("image accepted unasked, for there are no verifiers in {}", directory.get());
            }
            for (Path verifier : verifiers) {
                question.requireYes(verifier);
            }
        }
    }

    private List<Path> verifiers(Path directory, Question question) {
        try {
            return new VerifierFolder(directory, settings.most()).programs();
        } catch (VerifierFolder.Unusable e) {
            throw question.refused(e.problem(), e.remedy(), e);
        }
    }

    /// Whether this image may be pulled.
    private final class Question {

        private final Reference reference;
        private final Descriptor descriptor;

        Question(Reference reference, Descriptor descriptor) {
            this.reference = reference;
            this.descriptor = descriptor;
        }

        void requireYes(Path verifier) throws InterruptedException {
            Spawn.Result result = ask(verifier);
            String reason = clean(result.output());
            log.atDebug()
                    .addKeyValue("image", reference)
                    .addKeyValue("verifier", verifier)
                    .addKeyValue("exit", result.exitCode())
                    .addKeyValue("stdout", reason)
                    .addKeyValue("stderr", () -> clean(result.errors()))
                    .log("verifier asked");
            if (!result.ok()) {
                throw refused(
                        "verifier %s refuses it with exit code %d%s"
                                .formatted(verifier, result.exitCode(), reason.isEmpty() ? "" : ": " + cut(reason)),
                        "pull an image that it accepts, or change its policy",
                        null);
            }
        }

        private Spawn.Result ask(Path verifier) throws InterruptedException {
            places.acquire();
            try {
                return Spawn.run(command(verifier), settings.timeout());
            } catch (SpawnTimeoutException e) {
                log.atDebug()
                        .addKeyValue("image", reference)
                        .addKeyValue("verifier", verifier)
                        .addKeyValue("stderr", () -> clean(e.output().getBytes(StandardCharsets.UTF_8)))
                        .log("verifier killed");
                throw refused(
                        "verifier %s did not end within %d ms and was killed"
                                .formatted(verifier, settings.timeout().toMillis()),
                        "mend it, or raise images.verifiers.timeout",
                        e);
            } catch (ErrnoException e) {
                throw refused("verifier %s cannot be run: %s".formatted(verifier, e.getMessage()), "mend it", e);
            } finally {
                places.release();
            }
        }

        /// Its children count as it does: a verifier has ended when nobody holds its outputs.
        private Spawn.Command command(Path verifier) {
            List<String> argv = List.of(
                    verifier.toString(),
                    "-name",
                    name(),
                    "-digest",
                    descriptor.digest().toString(),
                    "-stdin-media-type",
                    MediaTypes.OCI_DESCRIPTOR);
            return Spawn.command(argv)
                    .emptyEnv()
                    .env(environment)
                    .in(Path.of("/"))
                    .input(line(descriptor.toJson()))
                    .limit(OUTPUT_LIMIT)
                    .untilEof(true);
        }

        /// As containerd gives it: beside a digest no tag, which would be anybody's word.
        private String name() {
            return reference.digest().map(reference::withDigest).orElseGet(reference::toString);
        }

        ImageException.SignatureRefused refused(String problem, String remedy, @Nullable Throwable cause) {
            String image = reference.digest().isPresent()
                    ? reference.toString()
                    : "%s (%s)".formatted(reference, descriptor.digest());
            return new ImageException.SignatureRefused(image, problem, remedy, cause);
        }
    }

    /// Go's encoder ends what it writes with a line break, and a shell's `read` wants one.
    private static byte[] line(byte[] json) {
        byte[] line = Arrays.copyOf(json, json.length + 1);
        line[json.length] = '\n';
        return line;
    }

    /// On one line, without what would steer a terminal or turn the direction of the text.
    private static String clean(byte[] said) {
        return new String(said, StandardCharsets.UTF_8)
                .replaceAll("[\\s\\p{C}\\p{Zl}\\p{Zp}]+", " ")
                .strip();
    }

    private static String cut(String reason) {
        if (reason.length() <= REASON_LIMIT) {
            return reason;
        }
        int end = Character.isHighSurrogate(reason.charAt(REASON_LIMIT - 1)) ? REASON_LIMIT - 1 : REASON_LIMIT;
        return reason.substring(0, end) + " …";
    }
}
