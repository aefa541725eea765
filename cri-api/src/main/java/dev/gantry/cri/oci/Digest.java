package dev.gantry.cri.oci;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.regex.Pattern;

/// The digest of a blob, written `sha256:` and 64 lower-case hexadecimal digits.
///
/// Two blobs with equal digests are the same blob, so a digest serves as a file name and as a database key without
/// further escaping. The image specification also allows sha512; registries do not use it, and it is refused.
public record Digest(String algorithm, String hex) implements Comparable<Digest> {

    private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");

    public Digest {
        if (!algorithm.equals("sha256")) {
            throw new IllegalArgumentException(
                    "unsupported digest algorithm, only sha256 is known: %s:%s".formatted(algorithm, hex));
        }
        if (!SHA256.matcher(hex).matches()) {
            throw new IllegalArgumentException("not a sha256 digest: " + hex);
        }
    }

    /// @throws IllegalArgumentException if the text is not a digest, or one of another algorithm than sha256
    public static Digest parse(String text) {
        int colon = text.indexOf(':');
        if (colon < 0) {
            throw new IllegalArgumentException("digest has no algorithm: " + text);
        }
        return new Digest(text.substring(0, colon), text.substring(colon + 1));
    }

    /// The digest of a blob that is in memory.
    public static Digest of(byte[] blob) {
        return ofSum(sha256().digest(blob));
    }

    /// The digest of what was fed to [#sha256()]; the state is reset.
    public static Digest of(MessageDigest state) {
        return ofSum(state.digest());
    }

    /// Computes a digest piece by piece; [#of(MessageDigest)] gives the result.
    public static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    private static Digest ofSum(byte[] sum) {
        return new Digest("sha256", HexFormat.of().formatHex(sum));
    }

    @Override
    public int compareTo(Digest other) {
        return hex.compareTo(other.hex);
    }

    @Override
    public String toString() {
        return algorithm + ":" + hex;
    }
}
