package dev.gantry.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gantry.cri.runtime.v1.ContainerConfig;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ContainerCommandTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            nullValues = "-",
            value = {
                // entrypoint | cmd | command | args | runs
                "e1 e2 | c | - | -   | e1 e2 c",
                "-     | c | - | -   | c",
                "e     | - | - | -   | e",
                "e     | c | x | -   | x",
                "e     | c | - | a b | e a b",
                "e     | c | x | a   | x a",
                "-     | c | - | a   | a",
                "-     | - | x | -   | x",
            })
    void mergesAsDockerDoes(String entrypoint, String cmd, String command, String args, String runs) {
        ImageContent image = TestPods.image(TestPods.execution("", List.of(), words(entrypoint), words(cmd)));
        ContainerConfig config = ContainerConfig.newBuilder()
                .addAllCommand(words(command))
                .addAllArgs(words(args))
                .build();

        assertThat(ContainerCommand.arguments(config, image)).isEqualTo(words(runs));
    }

    @Test
    void refusesWhatRunsNothing() {
        assertThatThrownBy(() -> ContainerCommand.arguments(
                        ContainerConfig.getDefaultInstance(), TestPods.image(TestPods.nothing())))
                .isInstanceOf(ContainerException.InvalidRequest.class)
                .hasMessage("nothing to run: neither the request nor image example.org/app:1 names a command");
    }

    @Test
    void refusesANulWhichWouldCutTheArgumentShort() {
        ContainerConfig config = ContainerConfig.newBuilder().addCommand("a\0b").build();

        assertThatThrownBy(() -> ContainerCommand.arguments(config, TestPods.image(TestPods.nothing())))
                .isInstanceOf(ContainerException.InvalidRequest.class)
                .hasMessage("argument \"a?b\" holds a NUL character");
    }

    private static List<String> words(String text) {
        return text == null ? List.of() : List.of(text.split(" ", -1));
    }
}
