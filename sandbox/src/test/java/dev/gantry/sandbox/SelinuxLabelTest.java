package dev.gantry.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SelinuxLabelTest {

    private static final SelinuxLabel POD = new SelinuxLabel("", "", "", "s0:c1,c2");

    @Test
    void ofAContainerTakesWhatItDoesNotSayFromItsPod() {
        SelinuxLabel own = new SelinuxLabel("", "", "spc_t", "");

        assertThat(own.or(POD)).isEqualTo(new SelinuxLabel("", "", "spc_t", "s0:c1,c2"));
        assertThat(own.or(POD).ofProcess()).isEqualTo("system_u:system_r:spc_t:s0:c1,c2");
        assertThat(own.or(POD).ofFiles()).isEqualTo("system_u:object_r:container_file_t:s0:c1,c2");
    }

    @Test
    void ofNobodyIsEmpty() {
        assertThat(SelinuxLabel.NONE.or(SelinuxLabel.NONE).ofProcess()).isEmpty();
        assertThat(SelinuxLabel.NONE.ofFiles()).isEmpty();
    }
}
