package dev.gantry.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ContainerPathTest {

    @ParameterizedTest
    @CsvSource({
        "/, /",
        "/a, /a",
        "/a/b/, /a/b",
        "//a///b, /a/b",
        "/a/./b, /a/b",
        "/a/../b, /b",
        "/../../etc, /etc",
        "/a/.., /",
    })
    void isCleanedByItsText(String path, String clean) {
        assertThat(ContainerPath.of("mount path", path).value()).isEqualTo(clean);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a/b", "./a", "../etc"})
    void mustBeAbsolute(String path) {
        assertThatThrownBy(() -> ContainerPath.of("mount path", path))
                .isInstanceOf(ContainerException.InvalidRequest.class)
                .hasMessage("mount path \"%s\" is not an absolute path", path);
    }

    @Test
    void holdsNoNul() {
        assertThatThrownBy(() -> ContainerPath.of("mount path", "/a\0b"))
                .isInstanceOf(ContainerException.InvalidRequest.class)
                .hasMessage("mount path \"/a?b\" holds a NUL character");
    }

    @Test
    void knowsHowDeepItIsAndWhatLiesBelow() {
        ContainerPath path = new ContainerPath("/a/b");

        assertThat(ContainerPath.ROOT.depth()).isZero();
        assertThat(path.depth()).isEqualTo(2);
        assertThat(path.isBelow(new ContainerPath("/a"))).isTrue();
        assertThat(path.isBelow(ContainerPath.ROOT)).isTrue();
        assertThat(path.isBelow(path)).isFalse();
        assertThat(new ContainerPath("/ab").isBelow(new ContainerPath("/a"))).isFalse();
    }
}
