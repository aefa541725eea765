package dev.gantry.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.cri.runtime.v1.KeyValue;
import dev.gantry.sandbox.SpecParts;
import java.util.List;
import org.junit.jupiter.api.Test;

class ContainerEnvironmentTest {

    private static ContainerConfig.Builder config(String... pairs) {
        ContainerConfig.Builder config = ContainerConfig.newBuilder();
        for (int i = 0; i < pairs.length; i += 2) {
            config.addEnvs(KeyValue.newBuilder().setKey(pairs[i]).setValue(ByteString.copyFromUtf8(pairs[i + 1])));
        }
        return config;
    }

    private static List<String> environment(List<String> image, ContainerConfig.Builder config) {
        return ContainerEnvironment.of(
                config.build(), TestPods.image(TestPods.execution("", image, List.of(), List.of())), "web-0");
    }

    @Test
    void hasAPathAndTheHostNameOfThePod() {
        assertThat(environment(List.of(), config()))
                .containsExactly("PATH=" + SpecParts.DEFAULT_PATH, "HOSTNAME=web-0");
    }

    @Test
    void letsThePodWinOverTheImageAndTheImageOverDefaults() {
        assertThat(environment(
                        List.of("PATH=/bin", "A=image", "B=image"),
                        config("A", "pod", "HOSTNAME", "mine", "A", "last")))
                .containsExactly("PATH=/bin", "A=last", "B=image", "HOSTNAME=mine");
    }

    @Test
    void saysWhereTheUserIsAtHomeUnlessSomebodyElseDoes() {
        assertThat(ContainerEnvironment.withHome(List.of("A=b"), "/home/a")).containsExactly("A=b", "HOME=/home/a");
        assertThat(ContainerEnvironment.withHome(List.of("HOME=", "A=b"), "/home/a"))
                .containsExactly("A=b", "HOME=/home/a");
        assertThat(ContainerEnvironment.withHome(List.of("HOME=/x", "A=b"), "/home/a"))
                .containsExactly("HOME=/x", "A=b");
    }

    @Test
    void namesATerminalWhereThereIsOne() {
        assertThat(environment(List.of(), config().setTty(true))).contains("TERM=xterm");
        assertThat(environment(List.of("TERM=vt100"), config().setTty(true))).contains("TERM=vt100");
    }

    @Test
    void keepsEmptyValuesLineBreaksAndEqualsSigns() {
        assertThat(environment(List.of(), config("E", "", "L", "a\nb", "Q", "x=y")))
                .contains("E=", "L=a\nb", "Q=x=y");
    }

    @Test
    void leavesOutImageVariablesWithoutAValue() {
        assertThat(environment(List.of("LONELY", "=x"), config())).hasSize(2);
    }

    @Test
    void refusesBytesThatJsonCannotCarry() {
        ContainerConfig.Builder config = ContainerConfig.newBuilder()
                .addEnvs(
                        KeyValue.newBuilder().setKey("KEY").setValue(ByteString.copyFrom(new byte[] {(byte) 0xff, 1})));

        assertThatThrownBy(() -> environment(List.of(), config))
                .isInstanceOf(ContainerException.InvalidRequest.class)
                .hasMessageContaining("environment variable KEY is not UTF-8");
    }

    @Test
    void refusesAHomeThatWouldAddALineToPasswd() {
        assertThatThrownBy(() -> environment(List.of(), config("HOME", "/x\nroot2::0:0")))
                .isInstanceOf(ContainerException.InvalidRequest.class)
                .hasMessage("the value of environment variable HOME holds a line break");
        assertThatThrownBy(() -> environment(List.of("HOME=/x\nroot2::0:0"), config()))
                .isInstanceOf(ContainerException.InvalidRequest.class);
    }

    @Test
    void refusesNamesThatAreNone() {
        for (String name : List.of("", "A=B", "A\0")) {
            assertThatThrownBy(() -> environment(List.of(), config(name, "x")))
                    .isInstanceOf(ContainerException.InvalidRequest.class)
                    .hasMessageContaining("is empty or holds = or NUL");
        }
        assertThatThrownBy(() -> environment(List.of(), config("A", "x\0y")))
                .isInstanceOf(ContainerException.InvalidRequest.class)
                .hasMessage("the value of environment variable A holds a NUL character");
    }
}
