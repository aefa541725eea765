package dev.gantry.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gantry.linux.IdMapping;
import dev.gantry.sandbox.stored.SandboxRow;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SandboxRowsTest {

    private static final LinuxResources RESOURCES = new LinuxResources(
            100_000,
            50_000,
            512,
            1 << 30,
            2L << 30,
            -5,
            "0-1",
            "0",
            List.of(new LinuxResources.HugepageLimit("2MB", 4096)),
            Map.of("memory.high", "max"));

    private final SandboxRows rows = new SandboxRows();

    private static Sandbox sandbox(SandboxState state, SecurityProfile seccomp) {
        SandboxSecurity security = new SandboxSecurity(
                new SandboxNamespaces(
                        NamespaceMode.NODE,
                        NamespaceMode.POD,
                        NamespaceMode.POD,
                        Optional.of(new UserIds(
                                new IdMapping(0, 4_000_000_000L, 65536), new IdMapping(0, 1 << 16, 65536)))),
                true,
                OptionalLong.of(1000),
                OptionalLong.of(2000),
                List.of(3L, 4L),
                true,
                true,
                seccomp,
                new SecurityProfile.RuntimeDefault(),
                new SelinuxLabel("u", "r", "t", "s0"));
        SandboxConfig config = new SandboxConfig(
                new SandboxMetadata("web", "default", "u-1", 3),
                "web",
                "/var/log/pods/web",
                new DnsConfig(List.of("10.0.0.1"), List.of("a.b"), List.of("ndots:5")),
                List.of(new PodPort("udp", 53, 5353, "127.0.0.1")),
                Map.of("app", "web"),
                Map.of("note", "x"),
                "/kubepods/u-1",
                Map.of("kernel.shmmax", "100"),
                security,
                Optional.of(RESOURCES),
                Optional.of(RESOURCES));
        return new Sandbox(
                SandboxId.random(),
                config,
                "runc",
                state,
                Instant.ofEpochSecond(1_700_000_000, 123_456_789),
                "/kubepods/u-1",
                true,
                "boot-1",
                4711,
                List.of("10.1.2.3", "fd00::1"),
                "overlayfs",
                "sha256:00",
                new SelinuxLabel("system_u", "system_r", "container_t", "s0:c1,c2"));
    }

    @ParameterizedTest
    @EnumSource(SandboxState.class)
    void readsBackWhatWasWritten(SandboxState state) {
        Sandbox sandbox = sandbox(state, new SecurityProfile.Localhost("/profiles/a.json"));

        assertThat(rows.decode(rows.encode(sandbox))).isEqualTo(sandbox);
    }

    @Test
    void keepsEveryFormOfProfile() {
        for (SecurityProfile profile : List.of(
                new SecurityProfile.Unset(), new SecurityProfile.Unconfined(), new SecurityProfile.RuntimeDefault())) {
            Sandbox sandbox = sandbox(SandboxState.READY, profile);

            assertThat(rows.decode(rows.encode(sandbox))).isEqualTo(sandbox);
        }
    }

    @Test
    void refusesARowOfALaterVersion() {
        byte[] later =
                SandboxRow.newBuilder().setVersion(99).setId("abc").build().toByteArray();

        assertThatThrownBy(() -> rows.decode(later))
                .hasMessageContaining("abc")
                .hasMessageContaining("another version of Gantry");
    }
}
