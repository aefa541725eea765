package dev.gantry.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class SelinuxLabelTest {

    private static final SelinuxLabel POD = new SelinuxLabel("system_u", "system_r", "container_t", "s0:c1,c2");

    @Test
    void takesFromAnotherWhatItDoesNotSay() {
        SelinuxLabel own = new SelinuxLabel("", "", "spc_t", "");

        assertThat(own.or(POD)).hasToString("system_u:system_r:spc_t:s0:c1,c2");
        assertThat(SelinuxLabel.NONE.or(POD)).isEqualTo(POD);
    }

    @Test
    void isWrittenAsTheKernelWritesIt() {
        assertThat(POD).hasToString("system_u:system_r:container_t:s0:c1,c2");
        assertThat(POD.at("")).as("of a policy without levels").hasToString("system_u:system_r:container_t");
        assertThat(SelinuxLabel.NONE.toString()).isEmpty();
    }

    @Test
    void isReadAsTheKernelWritesIt() {
        assertThat(SelinuxLabel.parse("system_u:system_r:container_t:s0:c1,c2")).isEqualTo(POD);
        assertThat(SelinuxLabel.parse("system_u:system_r:container_t")).isEqualTo(POD.at(""));
        assertThatThrownBy(() -> SelinuxLabel.parse("kernel")).hasMessage("no SELinux label: kernel");
    }
}
