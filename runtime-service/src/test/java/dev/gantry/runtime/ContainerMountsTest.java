package dev.gantry.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gantry.cri.oci.IdMapping;
import dev.gantry.cri.oci.Spec;
import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.cri.runtime.v1.IDMapping;
import dev.gantry.cri.runtime.v1.LinuxContainerConfig;
import dev.gantry.cri.runtime.v1.LinuxContainerSecurityContext;
import dev.gantry.cri.runtime.v1.Mount;
import dev.gantry.cri.runtime.v1.MountPropagation;
import dev.gantry.linux.MountInfo;
import dev.gantry.sandbox.NamespaceMode;
import dev.gantry.sandbox.PodFiles;
import dev.gantry.sandbox.Sandbox;
import dev.gantry.sandbox.SandboxNamespaces;
import dev.gantry.sandbox.SandboxPlaces;
import dev.gantry.sandbox.UserIds;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ContainerMountsTest {

    private static final Sandbox POD = TestPods.sandbox();

    @TempDir
    private Path temporary;

    private Path directory;
    private PodFiles files;
    private final List<MountInfo> hostMounts = new ArrayList<>();
    private MountSupport support = new MountSupport(true, true, false);

    @BeforeEach
    void makePlaces() throws IOException {
        directory = temporary.toRealPath();
        files = new SandboxPlaces(directory.resolve("root"), directory.resolve("state"), directory.resolve("netns"))
                .files(POD.id());
        hostMount(Path.of("/"), List.of());
    }

    private void hostMount(Path target, List<String> tags) {
        hostMounts.add(new MountInfo(hostMounts.size(), 0, "/", target, Set.of("rw"), tags, "ext4", "/dev/x", "rw"));
    }

    private ContainerMounts.Plan plan(Sandbox sandbox, LinuxContainerSecurityContext security, Mount... mounts) {
        ContainerConfig config = ContainerConfig.newBuilder()
                .setLinux(LinuxContainerConfig.newBuilder().setSecurityContext(security))
                .addAllMounts(List.of(mounts))
                .build();
        return new ContainerMounts(() -> hostMounts, _ -> support)
                .plan(config, sandbox, files, List.of(), Map.of(), "");
    }

    private ContainerMounts.Plan plan(Mount... mounts) {
        return plan(POD, LinuxContainerSecurityContext.getDefaultInstance(), mounts);
    }

    private Mount.Builder mount(String path) {
        return Mount.newBuilder().setContainerPath(path).setHostPath(directory.toString());
    }

    private static List<String> destinations(ContainerMounts.Plan plan) {
        return plan.mounts().stream().map(Spec.Mount::destination).toList();
    }

    private static Spec.Mount at(ContainerMounts.Plan plan, String destination) {
        return plan.mounts().stream()
                .filter(it -> it.destination().equals(destination))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void areTheStandardOnesAndThePodsFilesWithoutARequest() {
        ContainerMounts.Plan plan = plan();

        assertThat(destinations(plan))
                .containsExactly(
                        "/proc",
                        "/dev",
                        "/sys",
                        "/dev/pts",
                        "/dev/mqueue",
                        "/etc/hostname",
                        "/etc/hosts",
                        "/etc/resolv.conf",
                        "/dev/shm",
                        "/sys/fs/cgroup");
        assertThat(plan.rootPropagation()).isEmpty();
        assertThat(at(plan, "/etc/hosts"))
                .isEqualTo(new Spec.Mount(
                        "/etc/hosts", "bind", files.hosts().toString(), List.of("rbind", "rprivate", "rw")));
        assertThat(at(plan, "/sys").options()).contains("ro");
        assertThat(at(plan, "/sys/fs/cgroup").options()).contains("ro");
    }

    @Test
    void areWritableWherePrivileged() {
        ContainerMounts.Plan plan = plan(
                POD,
                LinuxContainerSecurityContext.newBuilder().setPrivileged(true).build());

        assertThat(at(plan, "/sys").options()).contains("rw").doesNotContain("ro");
        assertThat(at(plan, "/sys/fs/cgroup").options()).contains("rw").doesNotContain("ro");
    }

    @Test
    void leaveThePodsFilesReadOnlyWithTheRoot() {
        ContainerMounts.Plan plan = plan(
                POD,
                LinuxContainerSecurityContext.newBuilder()
                        .setReadonlyRootfs(true)
                        .build());

        assertThat(at(plan, "/etc/hosts").options()).contains("ro");
        assertThat(at(plan, "/dev/shm").options()).contains("rw");
    }

    @Test
    void shareTheHostsMemoryWithItsIpcNamespace() {
        Sandbox host = TestPods.sandbox(TestPods.HOST, false, Map.of());

        assertThat(at(plan(host, LinuxContainerSecurityContext.getDefaultInstance()), "/dev/shm")
                        .source())
                .isEqualTo("/dev/shm");
    }

    @Test
    void areMadeFromTheRootDownwards() {
        ContainerMounts.Plan plan = plan(
                mount("/data/deep/er").build(),
                mount("/data").build(),
                mount("/data/../data/deep/").build());

        assertThat(destinations(plan)).containsSubsequence("/data", "/data/deep", "/data/deep/er");
    }

    @Test
    void comeFromTheRequestBeforeOurOwn() {
        ContainerMounts.Plan plan = plan(
                mount("/etc/hosts").setReadonly(true).build(), mount("/dev/shm").build());

        assertThat(destinations(plan)).containsOnlyOnce("/etc/hosts", "/dev/shm");
        assertThat(at(plan, "/etc/hosts"))
                .isEqualTo(
                        new Spec.Mount("/etc/hosts", "bind", directory.toString(), List.of("rbind", "rprivate", "ro")));
        assertThat(at(plan, "/dev/shm").source()).isEqualTo(directory.toString());
    }

    @Test
    void bringWhatLiesBelowWithAWholeDev() {
        ContainerMounts.Plan plan = plan(mount("/dev").build());

        assertThat(destinations(plan))
                .containsOnlyOnce("/dev")
                .contains("/dev/shm")
                .doesNotContain("/dev/pts");
    }

    @Test
    void followLinksOfTheHost() throws IOException {
        Path target = Files.createDirectory(directory.resolve("target"));
        Path link = Files.createSymbolicLink(directory.resolve("link"), target);

        assertThat(at(plan(mount("/x").setHostPath(link.toString()).build()), "/x")
                        .source())
                .isEqualTo(target.toString());
    }

    @Test
    void makeMissingHostPaths() throws IOException {
        Path missing = directory.resolve("not/there");

        ContainerMounts.Plan plan =
                plan(mount("/x").setHostPath(missing.toString()).build());

        assertThat(at(plan, "/x").source()).isEqualTo(missing.toString());
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(missing)))
                .isEqualTo("rwxr-xr-x");
    }

    @Test
    void propagateOnlyWhereTheHostsMountDoes() {
        hostMount(directory, List.of("shared:5"));
        hostMount(directory.resolve("slave"), List.of("master:5"));
        hostMount(directory.resolve("private"), List.of());
        for (String name : List.of("slave", "private")) {
            makeDirectory(directory.resolve(name));
        }

        assertThat(propagating("", MountPropagation.PROPAGATION_BIDIRECTIONAL).rootPropagation())
                .isEqualTo("rshared");
        assertThat(propagating("", MountPropagation.PROPAGATION_HOST_TO_CONTAINER)
                        .rootPropagation())
                .isEqualTo("rslave");
        assertThat(at(propagating("slave", MountPropagation.PROPAGATION_HOST_TO_CONTAINER), "/x")
                        .options())
                .containsExactly("rbind", "rslave", "rw");
        assertThatThrownBy(() -> propagating("slave", MountPropagation.PROPAGATION_BIDIRECTIONAL))
                .isInstanceOf(ContainerException.InvalidRequest.class)
                .hasMessageContaining("cannot mount host path %s/slave as rshared", directory);
        assertThatThrownBy(() -> propagating("private", MountPropagation.PROPAGATION_HOST_TO_CONTAINER))
                .isInstanceOf(ContainerException.InvalidRequest.class)
                .hasMessageContaining("cannot mount host path %s/private as rslave", directory);
    }

    @Test
    void giveTheRootTheWidestPropagation() {
        hostMount(directory, List.of("shared:5"));

        ContainerMounts.Plan plan = plan(
                mount("/a")
                        .setPropagation(MountPropagation.PROPAGATION_BIDIRECTIONAL)
                        .build(),
                mount("/b")
                        .setPropagation(MountPropagation.PROPAGATION_HOST_TO_CONTAINER)
                        .build(),
                mount("/c").build());

        assertThat(plan.rootPropagation()).isEqualTo("rshared");
    }

    @Test
    void areRefusedWithTheirPathWhereTheyCannotBe() {
        assertRefused(mount("relative"), "mount path \"relative\" is not an absolute path");
        assertRefused(mount("/.."), "mount path \"/..\" is the root of the container");
        assertRefused(mount("/x").setHostPath("relative"), "host path \"relative\" is not an absolute path");
        assertRefused(mount("/x").setHostPath(""), "host path \"\" is not an absolute path");
        assertRefused(mount("/x").setImageSubPath("a"), "mount /x has an image sub path but no image");
    }

    private static IDMapping mapping(int container, int host, int length) {
        return IDMapping.newBuilder()
                .setContainerId(container)
                .setHostId(host)
                .setLength(length)
                .build();
    }

    @Test
    void showTheirFilesWithOtherOwners() {
        Mount.Builder wanted = mount("/x").addUidMappings(mapping(0, 1000, 10)).addGidMappings(mapping(5, 2000, 20));

        assertThat(at(plan(wanted.build()), "/x"))
                .isEqualTo(new Spec.Mount(
                        "/x",
                        "bind",
                        directory.toString(),
                        List.of("rbind", "rprivate", "rw"),
                        List.of(new IdMapping(0, 1000, 10)),
                        List.of(new IdMapping(5, 2000, 20))));
        assertRefused(
                mount("/x").addUidMappings(mapping(0, 1000, 10)),
                "mount /x has id mappings for users or for groups only, but needs both");
        assertRefused(
                mount("/x").addUidMappings(mapping(0, 1000, 0)).addGidMappings(mapping(0, 1000, 10)),
                "mount /x: id mapping 0:1000:0 is empty");
        support = MountSupport.NONE;
        assertRefused(wanted, "mount /x has id mappings, which the pod's OCI runtime cannot do");
    }

    @Test
    void haveOnlyOptionsThatTakeRightsAway() {
        Mount.Builder wanted =
                mount("/x").addMountOptions("noexec").addMountOptions("nosuid").addMountOptions("noexec");

        assertThat(at(plan(wanted.build()), "/x").options())
                .containsExactly("rbind", "rprivate", "rw", "noexec", "nosuid");
        for (String option : List.of("exec", "dev", "rw", "rshared", "mode=777", "noexec,exec", "")) {
            assertRefused(
                    mount("/x").addMountOptions("nodev").addMountOptions(option),
                    "mount /x has mount option \"%s\", but may only have some of".formatted(option));
        }
    }

    @Test
    void ofAPodWithItsOwnUsersShowTheHostsSysfsInTheHostsNetworkOnly() {
        UserIds users = new UserIds(
                new dev.gantry.linux.IdMapping(0, 100000, 65536), new dev.gantry.linux.IdMapping(0, 200000, 65536));
        Sandbox own = pod(NamespaceMode.POD, users);
        Sandbox host = pod(NamespaceMode.NODE, users);

        assertThat(at(plan(own, LinuxContainerSecurityContext.getDefaultInstance()), "/sys")
                        .type())
                .isEqualTo("sysfs");
        assertThat(at(plan(host, LinuxContainerSecurityContext.getDefaultInstance()), "/sys"))
                .isEqualTo(new Spec.Mount(
                        "/sys", "bind", "/sys", List.of("rbind", "rprivate", "nosuid", "noexec", "nodev", "rro")));
    }

    private static Sandbox pod(NamespaceMode network, UserIds users) {
        return TestPods.sandbox(
                new SandboxNamespaces(network, NamespaceMode.CONTAINER, NamespaceMode.POD, Optional.of(users)),
                false,
                Map.of());
    }

    @Test
    void areRecursivelyReadOnlyWhereTheRuntimeCanAndTheRestFits() {
        assertRefused(
                mount("/x").setRecursiveReadOnly(true), "mount /x is to be recursively read-only, but not read-only");
        assertRefused(
                mount("/x")
                        .setRecursiveReadOnly(true)
                        .setReadonly(true)
                        .setPropagation(MountPropagation.PROPAGATION_HOST_TO_CONTAINER),
                "mount /x is to be recursively read-only and to propagate");
        Mount.Builder right = mount("/x").setRecursiveReadOnly(true).setReadonly(true);
        assertThat(at(plan(right.build()), "/x").options()).containsExactly("rbind", "rprivate", "rro");
        support = MountSupport.NONE;
        assertRefused(right, "RROUnsupported: mount /x is to be recursively read-only");
    }

    private ContainerMounts.Plan propagating(String name, MountPropagation propagation) {
        return plan(mount("/x")
                .setHostPath(directory.resolve(name).toString())
                .setPropagation(propagation)
                .build());
    }

    private void assertRefused(Mount.Builder mount, String message) {
        assertThatThrownBy(() -> plan(mount.build()))
                .isInstanceOf(ContainerException.InvalidRequest.class)
                .hasMessageStartingWith(message);
    }

    private static void makeDirectory(Path path) {
        assertThat(path.toFile().mkdirs()).isTrue();
    }
}
