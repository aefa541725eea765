package dev.gantry.runtime;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gantry.cri.oci.MalformedDocumentException;
import dev.gantry.cri.oci.Resources;
import java.util.Map;
import org.junit.jupiter.api.Test;

class LimitedSpecTest {

    @Test
    void changesLimitsAndNothingElse() {
        String spec = """
            {"ociVersion":"1.2.0","process":{"args":["a"],"oomScoreAdj":0},"linux":{"new":[1.5],"resources":\
            {"devices":[{"allow":false}],"memory":{"limit":1},"pids":{"limit":9}}}}\
            """;
        Resources limits = Resources.builder()
                .cpu(Resources.Cpu.builder().shares(7).build())
                .build();

        byte[] changed = LimitedSpec.of(spec.getBytes(UTF_8), limits, -3);

        assertThat(new String(changed, UTF_8)).isEqualTo("""
            {"ociVersion":"1.2.0","process":{"args":["a"],"oomScoreAdj":-3},"linux":{"new":[1.5],"resources":\
            {"devices":[{"allow":false}],"pids":{"limit":9},"cpu":{"shares":7}}}}\
            """);
    }

    @Test
    void keepsFilesOfTheCgroupThatTheChangeDoesNotName() {
        String spec = """
            {"process":{"oomScoreAdj":0},"linux":{"resources":{"unified":{"memory.high":"1","pids.max":"5"}}}}\
            """;
        Resources files = Resources.builder()
                .unified(Map.of("memory.high", "2", "io.weight", "7"))
                .build();
        Resources none = Resources.builder().build();

        byte[] changed = LimitedSpec.of(spec.getBytes(UTF_8), files, 0);

        assertThat(new String(changed, UTF_8))
                .contains("\"memory.high\":\"2\"", "\"pids.max\":\"5\"", "\"io.weight\":\"7\"");
        assertThat(LimitedSpec.of(changed, none, 0)).isEqualTo(changed);
        assertThat(new String(
                        LimitedSpec.of("{\"process\":{},\"linux\":{\"resources\":{}}}".getBytes(UTF_8), files, 0),
                        UTF_8))
                .contains("\"io.weight\":\"7\"");
    }

    @Test
    void refusesWhatIsNoSpec() {
        Resources none = Resources.builder().build();
        assertThatThrownBy(() -> LimitedSpec.of("{\"linux\":[]}".getBytes(UTF_8), none, 0))
                .isInstanceOf(MalformedDocumentException.class)
                .hasMessageContaining("config.json");
    }
}
