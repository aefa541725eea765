package dev.gantry.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gantry.cri.oci.Linux;
import dev.gantry.cri.oci.OciProcess;
import dev.gantry.cri.oci.Resources;
import dev.gantry.cri.oci.Spec;
import dev.gantry.cri.runtime.v1.CDIDevice;
import dev.gantry.cri.runtime.v1.Capability;
import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.cri.runtime.v1.ContainerMetadata;
import dev.gantry.cri.runtime.v1.Int64Value;
import dev.gantry.cri.runtime.v1.LinuxContainerConfig;
import dev.gantry.cri.runtime.v1.LinuxContainerResources;
import dev.gantry.cri.runtime.v1.LinuxContainerSecurityContext;
import dev.gantry.cri.runtime.v1.SecurityProfile;
import dev.gantry.cri.runtime.v1.Signal;
import dev.gantry.cri.runtime.v1.WindowsContainerConfig;
import dev.gantry.linux.Cgroups;
import dev.gantry.sandbox.AppArmor;
import dev.gantry.sandbox.CgroupDriver;
import dev.gantry.sandbox.PodCgroups;
import dev.gantry.sandbox.RuntimeHandler;
import dev.gantry.sandbox.Sandbox;
import dev.gantry.sandbox.SandboxNamespaces;
import dev.gantry.sandbox.SandboxPlaces;
import dev.gantry.sandbox.Selinux;
import dev.gantry.sandbox.SpecParts;
import dev.gantry.shim.RuncOptions;
import dev.gantry.shim.ShimBinary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ContainerSpecsTest {

    private static final Sandbox POD = TestPods.sandbox();
    private static final Sandbox PRIVILEGED_POD = TestPods.sandbox(SandboxNamespaces.OWN, true, Map.of());

    @TempDir
    private Path directory;

    private ContainerSpecs specs;

    @BeforeEach
    void makeSpecs() {
        specs = specs(false);
    }

    private ContainerSpecs specs(boolean unifiedCgroups) {
        return specs(unifiedCgroups, ContainerOptions.DEFAULT);
    }

    private ContainerSpecs specs(boolean unifiedCgroups, ContainerOptions options) {
        return new ContainerSpecs(
                new SpecParts(new AppArmor(directory, "no-parser"), Selinux.off()),
                new PodCgroups(Cgroups.host(), CgroupDriver.CGROUPFS, "/gantry"),
                new SandboxPlaces(directory.resolve("root"), directory.resolve("state"), directory.resolve("netns")),
                TestPods.NO_IMAGES,
                new NodeFeatures(number -> true, unifiedCgroups, false, Set.of()),
                _ -> MountSupport.NONE,
                options,
                _ -> Optional.empty());
    }

    private static RuntimeHandler handler() {
        RuncOptions options = new RuncOptions(Path.of("/run/x"), Path.of("runc"), false);
        return new RuntimeHandler(
                "runc", new ShimBinary(Path.of("/bin/shim"), Optional.of(options)), options, "overlayfs");
    }

    private static ContainerConfig.Builder config(LinuxContainerSecurityContext.Builder security) {
        return ContainerConfig.newBuilder()
                .setMetadata(ContainerMetadata.newBuilder().setName("app"))
                .addCommand("/app")
                .setLinux(LinuxContainerConfig.newBuilder().setSecurityContext(security));
    }

    private static ContainerConfig.Builder config() {
        return config(LinuxContainerSecurityContext.newBuilder());
    }

    private static LinuxContainerSecurityContext.Builder security() {
        return LinuxContainerSecurityContext.newBuilder();
    }

    private ContainerSpecs.Plan plan(ContainerConfig.Builder config) {
        return plan(config, POD, TestPods.image(TestPods.nothing()));
    }

    private ContainerSpecs.Plan plan(ContainerConfig.Builder config, Sandbox pod, ImageContent image) {
        return specs.plan("c1", config.build(), pod, handler(), image);
    }

    private static OciProcess process(ContainerSpecs.Plan plan) {
        return Objects.requireNonNull(plan.spec().process());
    }

    private static Linux linux(ContainerSpecs.Plan plan) {
        return Objects.requireNonNull(plan.spec().linux());
    }

    @Test
    void saysWhatTheRequestSays() {
        ContainerSpecs.Plan plan = plan(config(security()
                        .setRunAsUser(Int64Value.newBuilder().setValue(1000))
                        .setReadonlyRootfs(true)
                        .setNoNewPrivs(true)
                        .addMaskedPaths("/proc/kcore")
                        .addReadonlyPaths("/proc/sys")
                        .setCapabilities(Capability.newBuilder().addDropCapabilities("ALL")))
                .setTty(true)
                .setWorkingDir("/work/../tmp/"));

        assertThat(process(plan).terminal()).isTrue();
        assertThat(process(plan).args()).containsExactly("/app");
        assertThat(process(plan).cwd()).isEqualTo("/tmp");
        assertThat(process(plan).env()).contains("HOSTNAME=web-0", "TERM=xterm", "HOME=/");
        assertThat(process(plan).user()).isEqualTo(new OciProcess.User(1000, 0, List.of(0L)));
        assertThat(process(plan).noNewPrivileges()).isTrue();
        assertThat(Objects.requireNonNull(process(plan).capabilities()).bounding())
                .isEmpty();
        assertThat(plan.spec().root()).isEqualTo(new Spec.Root("rootfs", true));
        assertThat(linux(plan).maskedPaths()).containsExactly("/proc/kcore");
        assertThat(linux(plan).readonlyPaths()).containsExactly("/proc/sys");
        assertThat(linux(plan).cgroupsPath()).isEqualTo("/gantry/pod/c1");
        assertThat(plan.cgroupPath()).isEqualTo("/gantry/pod/c1");
        assertThat(plan.user()).isEqualTo(new ContainerUser(1000, 0, List.of(0L)));
    }

    @Test
    void encodesWhatCanBeReadBack() {
        ContainerSpecs.Plan plan = plan(config());

        assertThat(Spec.parse(plan.spec().toJson(), "config.json")).isEqualTo(plan.spec());
    }

    @Test
    void refusesAPrivilegedContainerInAnUnprivilegedPod() {
        assertThatThrownBy(() -> plan(config(security().setPrivileged(true))))
                .isInstanceOf(ContainerException.InvalidRequest.class)
                .hasMessage("container app is privileged, but pod sandbox %s is not", POD.id());
    }

    @Test
    void takesEveryFenceAwayWherePrivileged() {
        specs = specs(true);
        ContainerSpecs.Plan plan = plan(
                config(security()
                        .setPrivileged(true)
                        .addMaskedPaths("/proc/kcore")
                        .addReadonlyPaths("/proc/sys")
                        .setSeccomp(SecurityProfile.newBuilder()
                                .setProfileType(SecurityProfile.ProfileType.RuntimeDefault))),
                PRIVILEGED_POD,
                TestPods.image(TestPods.nothing()));

        assertThat(linux(plan).maskedPaths()).isEmpty();
        assertThat(linux(plan).readonlyPaths()).isEmpty();
        assertThat(linux(plan).seccomp()).isNull();
        assertThat(Objects.requireNonNull(linux(plan).resources()).devices())
                .containsExactly(Resources.DeviceRule.ALLOW_ALL);
        assertThat(Objects.requireNonNull(process(plan).capabilities()).bounding())
                .isEqualTo(ContainerCapabilities.NAMES);
        assertThat(linux(plan).namespaces()).extracting(Linux.Namespace::type).doesNotContain("cgroup");
    }

    @Test
    void givesACgroupNamespaceOnCgroupV2() {
        specs = specs(true);

        assertThat(linux(plan(config())).namespaces()).contains(new Linux.Namespace("cgroup"));
    }

    @Test
    void worksWhereRequestOrImageSay() {
        ImageContent image = TestPods.image(TestPods.with("/srv/./app", ""));

        assertThat(process(plan(config(), POD, image)).cwd()).isEqualTo("/srv/app");
        assertThat(process(plan(config().setWorkingDir("/x"), POD, image)).cwd())
                .isEqualTo("/x");
        assertThat(process(plan(config())).cwd()).isEqualTo("/");
    }

    @Test
    void refusesWorkingDirectoriesOutOfTheContainer() throws IOException {
        Path layer = Files.createDirectory(directory.resolve("layer"));
        Files.createSymbolicLink(layer.resolve("innocent"), Path.of("/proc/1/../self/fd/7"));
        ImageContent linked = TestPods.image(TestPods.with("/innocent/", ""), List.of(layer));

        assertRefused(config().setWorkingDir("/proc/self/fd/7"), "working directory /proc/self/fd/7 leads to");
        assertRefused(config().setWorkingDir("/proc/./self/fd/9/.."), "working directory /proc/self/fd leads to");
        assertRefused(config().setWorkingDir("/dev/fd/7"), "working directory /dev/fd/7 leads to");
        assertRefused(config().setWorkingDir("work"), "working directory \"work\" is not an absolute path");
        assertThatThrownBy(() -> plan(config(), POD, TestPods.image(TestPods.with("/proc/self/fd/7", ""))))
                .isInstanceOf(ContainerException.InvalidRequest.class);
        assertThatThrownBy(() -> plan(config(), POD, linked))
                .isInstanceOf(ContainerException.InvalidRequest.class)
                .hasMessage("working directory /innocent leads to /proc/self/fd/7, out of the container");
    }

    @Test
    void stopsWithTheSignalOfRequestOrImage() {
        ImageContent image = TestPods.image(TestPods.with("", "SIGQUIT"));

        assertThat(plan(config()).stopSignal()).isEqualTo(15);
        assertThat(plan(config(), POD, image).stopSignal()).isEqualTo(3);
        assertThat(plan(config().setStopSignal(Signal.SIGNAL_SIGUSR1), POD, image)
                        .stopSignal())
                .isEqualTo(10);
    }

    @Test
    void refusesSignalsThatAreNone() {
        assertRefused(config().setStopSignalValue(4711), "unknown stop signal 4711");
        assertThatThrownBy(() -> plan(config(), POD, TestPods.image(TestPods.with("", "SIGNONE"))))
                .isInstanceOf(ContainerException.InvalidRequest.class)
                .hasMessage("stop signal \"SIGNONE\" of image example.org/app:1 is unknown");
    }

    @Test
    void refusesAnOomScoreOutOfRange() {
        assertRefused(
                config().setLinux(LinuxContainerConfig.newBuilder()
                        .setResources(LinuxContainerResources.newBuilder().setOomScoreAdj(1001))),
                "oom_score_adj 1001 is not between -1000 and 1000");
    }

    @Test
    void mountsTheVolumesOfTheImageAndMakesThemLater() throws IOException {
        ImageContent image = TestPods.image(TestPods.withVolumes("/data"));

        ContainerSpecs.Plan plan = plan(config(), POD, image);

        Path volume = plan.volumes().getFirst().directory();
        assertThat(plan.spec().mounts())
                .contains(new Spec.Mount("/data", "bind", volume.toString(), List.of("rbind", "rprivate", "rw")));
        assertThat(volume).doesNotExist();
        specs.createVolumes(plan);
        assertThat(volume).isEmptyDirectory();
        specs.delete("c1");
        assertThat(volume).doesNotExist();
    }

    @Test
    void touchesNothingOfTheHostForARequestThatIsRefused() {
        Path missing = directory.resolve("missing");
        ContainerConfig.Builder config = config(security().setRunAsUsername("ghost"));
        config.addMountsBuilder().setContainerPath("/x").setHostPath(missing.toString());

        assertThatThrownBy(() -> plan(config)).isInstanceOf(ContainerException.InvalidRequest.class);
        assertThat(missing).doesNotExist();
    }

    private void assertRefused(ContainerConfig.Builder config, String message) {
        assertThatThrownBy(() -> plan(config))
                .isInstanceOf(ContainerException.InvalidRequest.class)
                .hasMessageStartingWith(message);
    }

    @Test
    void haveTheConfigurationsLimitsAndNoVolumesOfImagesWhereItSaysSo() {
        OciProcess.Rlimit limit = new OciProcess.Rlimit("RLIMIT_CORE", 0, 0);
        specs = specs(false, new ContainerOptions(false, false, List.of(), List.of(limit)));

        ContainerSpecs.Plan plan = plan(config(security()), POD, TestPods.image(TestPods.withVolumes("/data")));

        assertThat(plan.volumes()).isEmpty();
        assertThat(process(plan).rlimits()).containsExactly(limit);
        assertThatThrownBy(() -> plan(
                        config(security()).addCDIDevices(CDIDevice.newBuilder().setName("vendor.com/gpu=0"))))
                .hasMessage("CDI device vendor.com/gpu=0: the configuration names no directories for CDI");
    }

    @Test
    void areRefusedWithSettingsForAnotherSystem() {
        ContainerConfig.Builder config = config(LinuxContainerSecurityContext.newBuilder())
                .setWindows(WindowsContainerConfig.getDefaultInstance());

        assertThatThrownBy(() -> plan(config, POD, TestPods.image(TestPods.nothing())))
                .isInstanceOf(ContainerException.InvalidRequest.class)
                .hasMessageContaining("settings for Windows");
    }

    @Test
    void areRefusedWithMoreLabelsThanANodeShouldCarry() {
        ContainerConfig.Builder config =
                config(LinuxContainerSecurityContext.newBuilder()).putAnnotations("a", "x".repeat(1 << 20));

        assertThatThrownBy(() -> plan(config, POD, TestPods.image(TestPods.nothing())))
                .isInstanceOf(ContainerException.InvalidRequest.class)
                .hasMessage("labels and annotations have 1048577 bytes together, more than 1048576");
    }

    @Test
    void areRefusedWithMaskedPathsThatAreRelative() {
        ContainerConfig.Builder config =
                config(LinuxContainerSecurityContext.newBuilder().addMaskedPaths("proc/kcore"));

        assertThatThrownBy(() -> plan(config, POD, TestPods.image(TestPods.nothing())))
                .isInstanceOf(ContainerException.InvalidRequest.class)
                .hasMessage("masked path \"proc/kcore\" is not an absolute path");
    }
}
