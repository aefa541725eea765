package dev.gantry.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AllowedAnnotationsTest {

    @ParameterizedTest
    @CsvSource({
        "a.b, a.b, true",
        "a.*, a.b.c, true",
        "a.*, axb, false",
        "*, a/b, false",
        "*/*, a/b, true",
        "a?c, abc, true",
        "*, io.kubernetes.cri.sandbox-id, false",
        "io.kubernetes.cri.*, io.kubernetes.cri.sandbox-id, false",
        "*, org.systemd.property.ExecStop, false",
        "org.*, org.systemd.property.ExecStop, false",
        "org.systemd.property.*, org.systemd.property.ExecStop, true",
        "*, run.oci.hooks.stderr, false",
        "run.oci.handler, run.oci.handler, true",
        "*, org.criu.config, false",
    })
    void withPowerPassOnlyWhereTheListNamesThem(String glob, String name, boolean allowed) {
        assertThat(AllowedAnnotations.allows(glob, name)).isEqualTo(allowed);
    }
}
