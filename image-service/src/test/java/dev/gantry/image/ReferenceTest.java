package dev.gantry.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ReferenceTest {

    private static final String HEX = "0123456789abcdef".repeat(4);

    @ParameterizedTest
    @CsvSource({
        "nginx, docker.io/library/nginx:latest",
        "nginx:1, docker.io/library/nginx:1",
        "a/b, docker.io/a/b:latest",
        "docker.io/nginx, docker.io/library/nginx:latest",
        "index.docker.io/nginx, docker.io/library/nginx:latest",
        "index.docker.io/a/b:x, docker.io/a/b:x",
        "localhost/a, localhost/a:latest",
        "localhost:5000/a/b:tag, localhost:5000/a/b:tag",
        "127.0.0.1:5000/a, 127.0.0.1:5000/a:latest",
        "[::1]:5000/a, [::1]:5000/a:latest",
        "Registry/a, Registry/a:latest",
        "registry.k8s.io/e2e-test-images/busybox:1.29-2, registry.k8s.io/e2e-test-images/busybox:1.29-2",
        "a__b/c--d/e.f, docker.io/a__b/c--d/e.f:latest",
    })
    void completesWhatPeopleWrite(String text, String complete) {
        assertThat(Reference.parse(text)).hasToString(complete);
    }

    @Test
    void letsTheDigestDecideWhereThereIsATagToo() {
        Reference reference = Reference.parse("quay.io/a/b:1@sha256:" + HEX);

        assertThat(reference.tag()).contains("1");
        assertThat(reference.target()).isEqualTo("sha256:" + HEX);
        assertThat(reference.tagged()).isEmpty();
        assertThat(reference).hasToString("quay.io/a/b:1@sha256:" + HEX);
    }

    @Test
    void givesNoTagToANameWithADigest() {
        assertThat(Reference.parse("b@sha256:" + HEX).tag()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "/",
                "a/",
                "/a",
                "A",
                "a:",
                "a:b:c",
                "a b",
                "a@",
                "a@sha256:12",
                "a@md5:" + "00",
                "-a",
                "a//b",
                "../a",
                "a/../b",
                "a:-x",
                "localhost:port/a",
                "http://a/b",
                "a\nb",
                "x.y:99999999/a",
                "_a/b",
                "a..b/c"
            })
    void refusesWhatIsNoName(String text) {
        assertThatThrownBy(() -> Reference.parse(text))
                .isInstanceOf(ImageException.InvalidReference.class)
                .hasMessageStartingWith("invalid image reference '%s': ".formatted(text));
    }

    @Test
    void refusesAnImageIdAndNamesThatAreTooLong() {
        assertThatThrownBy(() -> Reference.parse(HEX)).hasMessageContaining("image id");
        assertThatThrownBy(() -> Reference.parse("a/".repeat(200) + "b")).hasMessageContaining("longer than 255");
    }
}
