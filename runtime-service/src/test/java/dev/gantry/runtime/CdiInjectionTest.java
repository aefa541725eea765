package dev.gantry.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gantry.cri.oci.CdiEdits;
import dev.gantry.cri.oci.CdiSpec;
import dev.gantry.cri.oci.Hooks;
import dev.gantry.cri.oci.Json;
import dev.gantry.cri.oci.Linux;
import dev.gantry.cri.oci.OciProcess;
import dev.gantry.cri.oci.Resources;
import dev.gantry.cri.oci.Spec;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class CdiInjectionTest {

    private static List<CdiEdits> edits(String... edits) {
        return List.of(edits).stream()
                .map(it -> """
                    {"cdiVersion": "1.1.0", "kind": "vendor.com/gpu",
                     "devices": [{"name": "d", "containerEdits": %s}]}
                    """.formatted(it))
                .map(it -> CdiSpec.read(Json.parse(it.getBytes(StandardCharsets.UTF_8)), "test"))
                .map(it -> Objects.requireNonNull(it.devices().get("d")))
                .toList();
    }

    private static Spec spec(long uid) {
        return Spec.builder()
                .process(OciProcess.builder()
                        .args(List.of("/app"))
                        .env(List.of("PATH=/bin", "A=before"))
                        .cwd("/")
                        .user(new OciProcess.User(uid, uid, List.of(7L)))
                        .build())
                .root("rootfs", false)
                .mounts(List.of(
                        new Spec.Mount("/proc", "proc", "proc", List.of()),
                        new Spec.Mount("/data/deep", "bind", "/tmp", List.of("rbind"))))
                .linux(Linux.builder()
                        .resources(Resources.builder()
                                .devices(List.of(Resources.DeviceRule.DENY_ALL))
                                .build())
                        .build())
                .build();
    }

    private static Spec apply(long uid, String... edits) {
        return CdiInjection.apply(spec(uid), edits(edits));
    }

    @Test
    void setsVariablesAndGroups() {
        OciProcess process = Objects.requireNonNull(
                apply(0, "{\"env\": [\"A=after\", \"B=x=y\"]}", "{\"additionalGids\": [44, 0, 7]}")
                        .process());

        assertThat(process.env()).containsExactly("PATH=/bin", "A=after", "B=x=y");
        assertThat(process.user().additionalGids()).containsExactly(7L, 44L);
    }

    @Test
    void makesDevicesAsTheHostHasThem() {
        Linux linux = Objects.requireNonNull(apply(
                        1000,
                        "{\"deviceNodes\": [{\"path\": \"/dev/gpu\", \"hostPath\": \"/dev/null\", \"permissions\":"
                                + " \"rw\"}]}")
                .linux());

        assertThat(linux.devices()).singleElement().satisfies(it -> {
            assertThat(it.path()).isEqualTo("/dev/gpu");
            assertThat(List.of(it.type(), it.major(), it.minor())).isEqualTo(List.of("c", 1L, 3L));
            assertThat(it.uid()).isEqualTo(1000L);
            assertThat(it.gid()).isEqualTo(1000L);
        });
        assertThat(Objects.requireNonNull(linux.resources()).devices())
                .containsExactly(Resources.DeviceRule.DENY_ALL, new Resources.DeviceRule(true, "c", 1L, 3L, "rw"));
    }

    @Test
    void makesDevicesThatTheFileDescribesWhole() {
        Linux linux = Objects.requireNonNull(apply(0, """
            {"deviceNodes": [
              {"path": "/dev/a", "type": "b", "major": 7, "minor": 9, "fileMode": 384, "uid": 1, "gid": 2,
               "permissions": "none"}]}
            """).linux());

        assertThat(linux.devices()).containsExactly(new Linux.Device("/dev/a", "b", 7, 9, 384L, 1L, 2L));
        assertThat(Objects.requireNonNull(linux.resources()).devices()).containsExactly(Resources.DeviceRule.DENY_ALL);
    }

    @Test
    void mountsInTheOrderOfDepthAndReplaces() {
        List<Spec.Mount> mounts = apply(0, """
            {"mounts": [
              {"hostPath": "/usr", "containerPath": "/data/deep/", "options": ["ro", "bind"]},
              {"hostPath": "tmpfs", "containerPath": "/data", "type": "tmpfs"}]}
            """).mounts();

        assertThat(mounts)
                .containsExactly(
                        new Spec.Mount("/proc", "proc", "proc", List.of()),
                        new Spec.Mount("/data", "tmpfs", "tmpfs", List.of()),
                        new Spec.Mount("/data/deep", "bind", "/usr", List.of("ro", "bind")));
    }

    @Test
    void addsHooksAtTheirMoment() {
        Hooks hooks = Objects.requireNonNull(apply(0, """
            {"hooks": [{"hookName": "createContainer", "path": "/bin/hook", "args": ["hook", "a"],
                        "env": ["X=1"], "timeout": 5}]}
            """).hooks());

        assertThat(hooks.createContainer())
                .containsExactly(new Hooks.Hook("/bin/hook", List.of("hook", "a"), List.of("X=1"), 5L));
        assertThat(hooks.prestart()).isEmpty();
    }

    @Test
    void setsIntelRdt() {
        Linux linux =
                Objects.requireNonNull(apply(0, "{\"intelRdt\": {\"closID\": \"gold\", \"l3CacheSchema\": \"L3:0=f\"}}")
                        .linux());

        assertThat(linux.intelRdt()).isEqualTo(new Linux.IntelRdt("gold", "L3:0=f", "", false, false));
    }

    @Test
    void refusesWhatIsNotThere() {
        assertRefused(
                "{\"deviceNodes\": [{\"path\": \"/dev/no-such\"}]}",
                "host path /dev/no-such, which a CDI device needs, is no device");
        assertRefused(
                "{\"deviceNodes\": [{\"path\": \"/dev/x\", \"hostPath\": \"/dev/null\", \"type\": \"b\"}]}",
                "is a device of type c, not b as a CDI device says");
        assertRefused(
                "{\"mounts\": [{\"hostPath\": \"/no/such\", \"containerPath\": \"/x\", \"options\": [\"rbind\"]}]}",
                "host path /no/such, which a CDI device mounts on /x, does not exist");
        assertRefused(
                "{\"mounts\": [{\"hostPath\": \"/tmp\", \"containerPath\": \"/x/..\", \"options\": [\"rbind\"]}]}",
                "a CDI device mounts on the root of the container");
        assertRefused(
                "{\"netDevices\": [{\"hostInterfaceName\": \"eth7\", \"name\": \"eth1\"}]}",
                "moves network interfaces [eth7] into the container, which is not supported");
        assertRefused("{\"intelRdt\": {\"enableMonitoring\": true}}", "schemata or monitoring of Intel RDT");
    }

    private static void assertRefused(String edit, String why) {
        assertThatThrownBy(() -> apply(0, edit))
                .isInstanceOf(ContainerException.InvalidRequest.class)
                .hasMessageContaining(why);
    }
}
