package dev.gantry.cri.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class SpecTest {

    @Test
    void losesNothingOfAConfigurationThatUsesEveryMember() throws IOException {
        byte[] bytes = resource("spec-every-member.json");

        Spec spec = Spec.parse(bytes, "spec");

        assertThat(Json.parse(spec.toJson())).isEqualTo(Json.parse(bytes));
    }

    @Test
    void leavesOutWhatIsNotSet() {
        Spec spec = Spec.builder()
                .root("rootfs", false)
                .process(OciProcess.builder().args(List.of("sleep", "100")).build())
                .linux(Linux.builder()
                        .namespaces(List.of(new Linux.Namespace("pid"), new Linux.Namespace("network", "/run/netns/x")))
                        .resources(Resources.builder()
                                .devices(List.of(Resources.DeviceRule.DENY_ALL))
                                .cpu(Resources.Cpu.builder().shares(2).build())
                                .build())
                        .build())
                .build();

        assertThat(text(spec.toJson())).isEqualTo("""
                {"ociVersion":"1.0.2","process":{"user":{"uid":0,"gid":0},"args":["sleep","100"],"cwd":"/"},\
                "root":{"path":"rootfs"},"linux":{"resources":{"devices":[{"allow":false,"access":"rwm"}],\
                "cpu":{"shares":2}},"namespaces":[{"type":"pid"},{"type":"network","path":"/run/netns/x"}]}}""");
    }

    @Test
    void copiesAFilterThatWasEncodedBefore() {
        var rules = new Seccomp.Rules(
                "SCMP_ACT_ERRNO",
                38L,
                List.of("SCMP_ARCH_X86_64"),
                List.of(),
                "",
                "",
                List.of(new Seccomp.Rule(
                        List.of("personality"),
                        "SCMP_ACT_ALLOW",
                        null,
                        List.of(new Seccomp.Condition(0, -1, 0, "SCMP_CMP_EQ")))));

        byte[] plain = withSeccomp(rules).toJson();

        assertThat(text(withSeccomp(rules.encode()).toJson())).isEqualTo(text(plain));
        assertThat(text(plain)).contains("\"value\":18446744073709551615");
        assertThat(Spec.parse(plain, "spec").linux())
                .isEqualTo(withSeccomp(rules).linux());
    }

    @Test
    void writesAProcessAndResourcesByThemselves() {
        OciProcess process = OciProcess.builder()
                .args(List.of("id"))
                .user(new OciProcess.User(1, 2, List.of(3L)))
                .rlimits(List.of(new OciProcess.Rlimit("RLIMIT_NOFILE", 1024, -1)))
                .build();
        Resources resources = Resources.builder()
                .pidsLimit(10)
                .unified(Map.of("memory.high", "max"))
                .build();

        assertThat(text(process.toJson())).isEqualTo("""
                {"user":{"uid":1,"gid":2,"additionalGids":[3]},"args":["id"],"cwd":"/",\
                "rlimits":[{"type":"RLIMIT_NOFILE","hard":18446744073709551615,"soft":1024}]}""");
        assertThat(text(resources.toJson()))
                .isEqualTo("{\"pids\":{\"limit\":10},\"unified\":{\"memory.high\":\"max\"}}");
        assertThat(OciProcess.parse(process.toJson(), "process")).isEqualTo(process);
        assertThat(Resources.parse(resources.toJson(), "resources")).isEqualTo(resources);
    }

    @Test
    void changesOneThingOfAProcess() {
        OciProcess process = OciProcess.builder()
                .args(List.of("a"))
                .oomScoreAdj(500)
                .noNewPrivileges(true)
                .build();

        OciProcess changed = process.toBuilder().terminal(true).build();

        assertThat(changed.terminal()).isTrue();
        assertThat(changed.toBuilder().terminal(false).build()).isEqualTo(process);
    }

    @Test
    void namesTheMemberAtFault() {
        assertThatThrownBy(() -> Spec.parse(bytes("""
                {"ociVersion": "1.2.0", "linux": {"resources": {"memory": {"limit": "64M"}}}}"""), "config.json"))
                .isInstanceOf(MalformedDocumentException.class)
                .hasMessage("cannot read config.json: member linux.resources.memory.limit is not a whole number"
                        + " of 64 bits");
        assertThatThrownBy(() -> Seccomp.parse(bytes("{\"syscalls\": []}"), "profile x"))
                .hasMessage("cannot read profile x: member defaultAction is missing");
    }

    private static Spec withSeccomp(Seccomp seccomp) {
        return Spec.builder().linux(Linux.builder().seccomp(seccomp).build()).build();
    }

    private static byte[] resource(String name) throws IOException {
        try (InputStream in = Objects.requireNonNull(SpecTest.class.getResourceAsStream(name))) {
            return in.readAllBytes();
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
