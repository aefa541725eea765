package dev.gantry.image;

import java.io.ByteArrayOutputStream;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;

/// Reads the private key of a client certificate: PKCS#8, or the older forms that openssl writes for RSA and for
/// elliptic curves, which become PKCS#8 by an envelope that names the algorithm.
final class PrivateKeys {

    private static final byte[] RSA = HexFormat.of().parseHex("300d06092a864886f70d0101010500");
    /// Tag of the curve's name in an EC key (RFC 5915): `[0] EXPLICIT`.
    private static final int EC_PARAMETERS = 0xa0;

    private PrivateKeys() {}

    static PrivateKey read(Path file) {
        for (Pem block : Pem.read(file)) {
            switch (block.label()) {
                case "PRIVATE KEY" -> {
                    return parse(file, block.bytes());
                }
                case "RSA PRIVATE KEY" -> {
                    return parse(file, envelope(RSA, block.bytes()));
                }
                case "EC PRIVATE KEY" -> {
                    return parse(file, envelope(curveOf(file, block.bytes()), block.bytes()));
                }
                case "ENCRYPTED PRIVATE KEY" ->
                    throw new ImageException.BadConfiguration(
                            "the private key in %s is encrypted".formatted(file), null);
                default -> {} // certificates and curve parameters may stand in the same file
            }
        }
        throw new ImageException.BadConfiguration("no private key in " + file, null);
    }

    private static PrivateKey parse(Path file, byte[] pkcs8) {
        for (String algorithm : List.of("RSA", "EC", "EdDSA")) {
            try {
                return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
            } catch (GeneralSecurityException _) {
                // not a key of this algorithm
            }
        }
        throw new ImageException.BadConfiguration("cannot read the private key in " + file, null);
    }

    private static byte[] envelope(byte[] algorithm, byte[] key) {
        byte[] version = {2, 1, 0};
        return element(0x30, version, algorithm, element(0x04, key));
    }

    /// The algorithm identifier of an EC key, whose curve stands in the key itself.
    private static byte[] curveOf(Path file, byte[] key) {
        byte[] ecPublicKey = HexFormat.of().parseHex("06072a8648ce3d0201");
        for (int at = 0; at + 4 < key.length; at++) {
            int length = key[at + 1] & 0xff;
            boolean names = (key[at] & 0xff) == EC_PARAMETERS
                    && key[at + 2] == 0x06
                    && (key[at + 3] & 0xff) == length - 2
                    && at + 2 + length <= key.length;
            if (names) {
                byte[] curve = Arrays.copyOfRange(key, at + 2, at + 2 + length);
                return element(0x30, ecPublicKey, curve);
            }
        }
        throw new ImageException.BadConfiguration(
                "the private key in %s does not name its curve".formatted(file), null);
    }

    private static byte[] element(int tag, byte[]... parts) {
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            content.writeBytes(part);
        }
        ByteArrayOutputStream element = new ByteArrayOutputStream();
        element.write(tag);
        int length = content.size();
        if (length >= 0x100) {
            element.write(0x82);
            element.write(length >> 8);
        } else if (length >= 0x80) {
            element.write(0x81);
        }
        element.write(length);
        element.writeBytes(content.toByteArray());
        return element.toByteArray();
    }
}
