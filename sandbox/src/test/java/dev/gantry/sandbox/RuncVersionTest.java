package dev.gantry.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RuncVersionTest {

    private static boolean letsOut(String version) {
        return RuncVersion.parse(version).orElseThrow().letsContainersOut();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"1.0.0-rc93", "1.1.5+ds1", "1.2.7", "1.3.0-rc.1", "1.3.2", "1.4.0-rc.1", "1.4.0-rc.2", "v1.1.12"
            })
    void letsContainersOutBeforeTheFixes(String version) {
        assertThat(letsOut(version)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"1.2.8", "1.2.9", "1.3.3", "1.3.5-1~deb", "1.4.0-rc.3", "1.4.0", "1.5.2", "2.0.0-rc.1"})
    void doesNotAfterThem(String version) {
        assertThat(letsOut(version)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "1.1", "unknown", "1.1.x", "99999999999.1.1"})
    void isNothingElse(String text) {
        assertThat(RuncVersion.parse(text)).isEmpty();
    }
}
