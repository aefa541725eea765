package dev.gantry.sandbox;

import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.regex.Pattern;

/// The id of a pod sandbox or container: 64 lower-case hexadecimal digits, drawn at random.
///
/// It is safe as a file name, a cgroup name and a database key.
public record SandboxId(String value) {

    private static final Pattern FORM = Pattern.compile("[0-9a-f]{64}");
    private static final SecureRandom RANDOM = new SecureRandom();

    public SandboxId {
        if (!FORM.matcher(value).matches()) {
            throw new IllegalArgumentException("not a sandbox id: " + value);
        }
    }

    /// A new id that no other sandbox has.
    public static SandboxId random() {
        byte[] bytes = new byte[32];
        RANDOM.nextBytes(bytes);
        return new SandboxId(HexFormat.of().formatHex(bytes));
    }

    @Override
    public String toString() {
        return value;
    }
}
