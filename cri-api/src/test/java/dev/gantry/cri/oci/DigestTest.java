package dev.gantry.cri.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DigestTest {

    private static final String EMPTY = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    @Test
    void isTheSha256OfTheBytes() {
        assertThat(Digest.of(new byte[0])).hasToString(EMPTY);
        assertThat(Digest.of("abc".getBytes(StandardCharsets.UTF_8)).hex())
                .isEqualTo("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    @Test
    void isTheSamePieceByPiece() {
        var state = Digest.sha256();
        state.update("ab".getBytes(StandardCharsets.UTF_8));
        state.update("c".getBytes(StandardCharsets.UTF_8));

        assertThat(Digest.of(state)).isEqualTo(Digest.of("abc".getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void refusesSha512AndSaysSo() {
        assertThatThrownBy(() -> Digest.parse("sha512:" + "a".repeat(128)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("unsupported digest algorithm, only sha256 is known: sha512:aaa");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "sha256",
                "sha256:",
                "sha256:../../etc/passwd",
                "sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
                "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85",
                "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n",
                ":e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
            })
    void refusesWhatCouldBeAnotherFileName(String text) {
        assertThatThrownBy(() -> Digest.parse(text)).isInstanceOf(IllegalArgumentException.class);
    }
}
