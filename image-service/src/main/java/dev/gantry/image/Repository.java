package dev.gantry.image;

import dev.gantry.cri.oci.Descriptor;
import dev.gantry.cri.oci.Digest;
import dev.gantry.cri.oci.MediaTypes;
import dev.gantry.image.Endpoint.Capability;
import dev.gantry.image.HttpTransport.Answer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// One repository, seen through the servers that have it: documents whole, blobs as streams from any offset.
///
/// Made by [Registries] for one pull; safe for several threads.
final class Repository {

    /// Manifests and configurations beyond this are refused (the specification asks for at least 4 MiB).
    static final int DOCUMENT_LIMIT = 8 * 1024 * 1024;

    private static final List<String> MANIFEST_TYPES = List.of(
            MediaTypes.OCI_INDEX,
            MediaTypes.OCI_MANIFEST,
            MediaTypes.DOCKER_INDEX,
            MediaTypes.DOCKER_MANIFEST,
            "*/*;q=0.1");

    private final Registries registries;
    private final Reference reference;
    private final Credentials credentials;
    private final List<Endpoint> endpoints;

    /// A document as it came, with the digest of just these bytes.
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Document(byte[] bytes, Digest digest, String mediaType) {}

    Repository(Registries registries, Reference reference, Credentials credentials, List<Endpoint> endpoints) {
        this.registries = registries;
        this.reference = reference;
        this.credentials = credentials;
        this.endpoints = endpoints;
    }

    Reference reference() {
        return reference;
    }

    /// What the reference leads to: a manifest or an index. Its digest is that of the reference if it has one.
    Document resolve() {
        return manifest(reference.target(), reference.digest(), Capability.RESOLVE, reference.toString());
    }

    /// A manifest that an index names.
    Document manifest(Descriptor descriptor) {
        if (descriptor.size() > DOCUMENT_LIMIT) {
            throw tooLarge(reference.withDigest(descriptor.digest()), descriptor.size());
        }
        Digest digest = descriptor.digest();
        Document document =
                manifest(digest.toString(), Optional.of(digest), Capability.PULL, reference.withDigest(digest));
        if (document.bytes().length != descriptor.size()) {
            throw new ImageException.BadContent("manifest %s of %s has %d bytes, but the index says %d"
                    .formatted(digest, reference, document.bytes().length, descriptor.size()));
        }
        return document;
    }

    /// A small blob, such as the configuration, verified.
    byte[] document(Descriptor descriptor) {
        String what = "blob %s of %s".formatted(descriptor.digest(), reference);
        if (descriptor.size() > DOCUMENT_LIMIT) {
            throw tooLarge(what, descriptor.size());
        }
        return ask(Capability.PULL, new Request("blobs/" + descriptor.digest(), what, Map.of()), answer -> {
            byte[] bytes = readWhole(answer, what);
            requireDigest(bytes, descriptor.digest(), what, answer);
            return bytes;
        });
    }

    /// A blob from an offset on. The caller verifies it. Where the server does not know ranges, the bytes before
    /// the offset are read and dropped.
    InputStream blob(Descriptor descriptor, long offset) {
        String what = layer(descriptor);
        Map<String, List<String>> range =
                offset == 0 ? Map.of() : Map.of("Range", List.of("bytes=%d-".formatted(offset)));
        Request request = new Request("blobs/" + descriptor.digest(), what, range);
        return ask(Capability.PULL, request, answer -> {
            refuseWebPage(answer, what);
            if (offset > 0 && !startsAt(answer, offset)) {
                answer.body().skipNBytes(offset);
            }
            return answer.body();
        });
    }

    ImageException timedOut(Descriptor descriptor) {
        return new ImageException.TimedOut(
                layer(descriptor), endpoints.getLast().host(), registries.patience());
    }

    ImageException cutOff(Descriptor descriptor, long offset, @Nullable Throwable cause) {
        String problem = "the transfer breaks off again and again, now after %d of %d bytes"
                .formatted(offset, descriptor.size());
        return new ImageException.RegistryUnavailable(
                layer(descriptor), endpoints.getLast().host(), problem, cause);
    }

    private String layer(Descriptor descriptor) {
        return "layer %s of %s".formatted(descriptor.digest(), reference);
    }

    private static boolean startsAt(Answer answer, long offset) throws IOException {
        if (answer.status() != 206) {
            return false;
        }
        String range = answer.header("Content-Range").orElse("");
        if (!range.startsWith("bytes %d-".formatted(offset))) {
            throw new IOException("asked for bytes from %d on, got '%s'".formatted(offset, range));
        }
        return true;
    }

    private Document manifest(String target, Optional<Digest> expected, Capability capability, String what) {
        Request request =
                new Request("manifests/" + target, what, Map.of("Accept", List.of(String.join(", ", MANIFEST_TYPES))));
        return ask(capability, request, answer -> {
            byte[] bytes = readWhole(answer, what);
            refuseWebPage(answer, what, bytes);
            Digest digest = Digest.of(bytes);
            Optional<String> claimed = expected.map(Digest::toString).or(() -> answer.header("Docker-Content-Digest"));
            if (claimed.isPresent() && claimed.get().startsWith("sha256:")) {
                requireDigest(bytes, Digest.parse(claimed.get()), what, answer);
            }
            String type = answer.header("Content-Type")
                    .orElse("")
                    .replaceFirst(";.*$", "")
                    .strip();
            return new Document(bytes, digest, type);
        });
    }

    private static byte[] readWhole(Answer answer, String what) throws IOException {
        byte[] bytes = answer.body().readNBytes(DOCUMENT_LIMIT + 1);
        if (bytes.length > DOCUMENT_LIMIT) {
            throw tooLarge(what, bytes.length);
        }
        return bytes;
    }

    private static ImageException tooLarge(String what, long size) {
        return new ImageException.BadContent("%s is too large: %d bytes or more, the limit for a document is %d"
                .formatted(what, size, DOCUMENT_LIMIT));
    }

    private static void requireDigest(byte[] bytes, Digest expected, String what, Answer answer) {
        Digest actual = Digest.of(bytes);
        if (!actual.equals(expected)) {
            throw new ImageException.BadContent("%s from registry %s has digest %s instead of %s"
                    .formatted(what, answer.uri().getAuthority(), actual, expected));
        }
    }

    private static void refuseWebPage(Answer answer, String what) {
        if (answer.header("Content-Type").orElse("").startsWith("text/html")) {
            throw webPage(answer, what);
        }
    }

    private static void refuseWebPage(Answer answer, String what, byte[] body) {
        refuseWebPage(answer, what);
        if (new String(body, 0, Math.min(body.length, 64), StandardCharsets.US_ASCII)
                .stripLeading()
                .startsWith("<")) {
            throw webPage(answer, what);
        }
    }

    private static ImageException webPage(Answer answer, String what) {
        return new ImageException.BadContent(
                "cannot get %s: %s answered with a web page; it is no registry, or a proxy or login page is in between"
                        .formatted(what, answer.uri().getAuthority()));
    }

    /// What is asked of every server in turn: a path below the repository, and how messages name it.
    record Request(String path, String what, Map<String, List<String>> headers) {}

    @FunctionalInterface
    interface Reader<T> {
        /// Reads the answer; closing it is the reader's business only where it returns the body itself.
        T read(Answer answer) throws IOException;
    }

    /// Asks the servers in their order and returns the first good answer. The failure of the last one is thrown, for
    /// it is the registry itself; those of the mirrors are suppressed in it.
    private <T> T ask(Capability capability, Request request, Reader<T> reader) {
        List<Endpoint> able = endpoints.stream()
                .filter(endpoint -> endpoint.capabilities().contains(capability))
                .toList();
        if (able.isEmpty()) {
            throw new ImageException.BadConfiguration(
                    "no server of registry %s is configured to %s"
                            .formatted(reference.domain(), capability.name().toLowerCase(Locale.ROOT)),
                    null);
        }
        ImageException failure = null;
        for (int i = 0; i < able.size(); i++) {
            Endpoint endpoint = able.get(i);
            boolean last = i == able.size() - 1;
            if (!last && registries.isDead(endpoint)) {
                continue;
            }
            try {
                return registries.ask(endpoint, reference, credentials, request, reader, last);
            } catch (ImageException.Cancelled e) {
                throw e;
            } catch (ImageException e) {
                failure = join(e, failure);
            }
        }
        throw Objects.requireNonNull(failure);
    }

    private static ImageException join(ImageException later, @Nullable ImageException earlier) {
        if (earlier != null) {
            later.addSuppressed(earlier);
        }
        return later;
    }
}
