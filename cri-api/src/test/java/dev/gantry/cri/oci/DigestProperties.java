package dev.gantry.cri.oci;

import static org.assertj.core.api.Assertions.assertThat;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

class DigestProperties {

    @Property
    void readsWhatItWrites(@ForAll byte[] blob) {
        Digest digest = Digest.of(blob);

        assertThat(Digest.parse(digest.toString())).isEqualTo(digest);
    }

    @Property
    void takesNothingButSixtyFourHexadecimalDigits(@ForAll String hex) {
        boolean good = hex.matches("[0-9a-f]{64}") && hex.length() == 64;

        assertThat(accepts("sha256:" + hex)).isEqualTo(good);
    }

    private static boolean accepts(String text) {
        try {
            return Digest.parse(text).toString().equals(text);
        } catch (IllegalArgumentException _) {
            return false;
        }
    }
}
