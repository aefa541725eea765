package dev.gantry.cri.oci;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class FeaturesTest {

    private static Features parse(String json) {
        return Features.parse(json.getBytes(UTF_8), "the features");
    }

    @Test
    void areWhatTheRuntimeSays() {
        assertThat(parse("""
            {"ociVersionMin": "1.0.0", "ociVersionMax": "1.3.0", "hooks": ["prestart"],
             "mountOptions": ["bind", "rro"],
             "linux": {"namespaces": ["user", "network"], "seccomp": {"enabled": true},
                       "mountExtensions": {"idmap": {"enabled": true}}},
             "annotations": {"org.opencontainers.runc.version": "1.5.2"}}
            """))
                .isEqualTo(new Features(
                        List.of("bind", "rro"),
                        List.of("user", "network"),
                        true,
                        Map.of("org.opencontainers.runc.version", "1.5.2")));
    }

    @Test
    void areNotThereWhereTheRuntimeSaysNothing() {
        assertThat(parse("{}")).isEqualTo(Features.NONE);
        assertThat(parse("{\"linux\": {}}").idmap()).isFalse();
        assertThat(parse("{\"linux\": {\"mountExtensions\": {}}}").idmap()).isFalse();
        assertThat(parse("{\"linux\": {\"mountExtensions\": {\"idmap\": {}}}}").idmap())
                .isFalse();
        assertThat(parse("{\"linux\": {\"mountExtensions\": {\"idmap\": {\"enabled\": false}}}}")
                        .idmap())
                .isFalse();
    }

    @Test
    void areRefusedWhereTheyAreMalformed() {
        assertThatThrownBy(() -> parse("[]")).isInstanceOf(MalformedDocumentException.class);
        assertThatThrownBy(() -> parse("{\"mountOptions\": \"rro\"}")).isInstanceOf(MalformedDocumentException.class);
    }
}
