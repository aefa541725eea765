package dev.gantry.cni;

import java.util.Collection;
import java.util.Optional;

/// The versions of the CNI specification that can be spoken, oldest first.
enum CniVersion {
    V0_3_1("0.3.1"),
    V0_4_0("0.4.0"),
    V1_0_0("1.0.0"),
    V1_1_0("1.1.0");

    private final String text;

    CniVersion(String text) {
        this.text = text;
    }

    static Optional<CniVersion> of(String text) {
        for (CniVersion version : values()) {
            if (version.text.equals(text)) {
                return Optional.of(version);
            }
        }
        return Optional.empty();
    }

    /// The newest of those that can be spoken.
    static Optional<CniVersion> newest(Collection<String> texts) {
        return texts.stream().flatMap(text -> of(text).stream()).reduce((a, b) -> a.compareTo(b) > 0 ? a : b);
    }

    /// CHECK, and DEL with the result of ADD, came with 0.4.0.
    boolean hasCheck() {
        return compareTo(V0_4_0) >= 0;
    }

    boolean hasStatus() {
        return compareTo(V1_1_0) >= 0;
    }

    @Override
    public String toString() {
        return text;
    }
}
