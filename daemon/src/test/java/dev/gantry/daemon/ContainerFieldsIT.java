package dev.gantry.daemon;

import static dev.gantry.daemon.TestCalls.refused;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gantry.cri.runtime.v1.CDIDevice;
import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.cri.runtime.v1.Device;
import dev.gantry.cri.runtime.v1.Int64Value;
import dev.gantry.cri.runtime.v1.SupplementalGroupsPolicy;
import io.grpc.Status;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

/// What fields of a container's request and of the configuration come to in the container itself; and images that try
/// to get out of theirs.
@ExtendWith(DistributionRequired.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ContainerFieldsIT {

    private ChildNode node;
    private TestCalls calls;
    private String pod;
    private Path hookRan;

    @BeforeAll
    void start() throws IOException {
        node = ChildNode.create();
        Path cdi = Files.createDirectories(node.directory().resolve("cdi"));
        hookRan = node.directory().resolve("hook-ran");
        writeDevices(cdi);
        writeImages();
        node.set("runtime.cdi_dirs", "[" + ChildNode.quoted(cdi) + "]")
                .set("runtime.default_rlimits", "[\"nofile=512:1000\", \"core=0\", \"stack=4194304:8388608\"]")
                .set("runtime.device_ownership_from_security_context", "true")
                .start();
        calls = node.calls();
        pod = calls.run(calls.pod("pod"));
    }

    @AfterAll
    void close() throws IOException {
        node.close();
    }

    private void writeDevices(Path cdi) throws IOException {
        Path hook = node.directory().resolve("hook.sh");
        Files.writeString(hook, "#!/bin/sh\ncat >/dev/null\necho \"$1 $X\" > " + hookRan + "\n");
        Files.setPosixFilePermissions(hook, PosixFilePermissions.fromString("rwxr-xr-x"));
        Path library = Files.createDirectories(node.directory().resolve("library"));
        Files.writeString(library.resolve("lib"), "of the driver");
        Files.writeString(cdi.resolve("vendor.yaml"), """
            cdiVersion: 0.7.0
            kind: vendor.com/gpu
            devices:
            - name: "0"
              containerEdits:
                deviceNodes:
                - {path: /dev/gpu0, hostPath: /dev/null, permissions: rw}
                additionalGids: [4711]
            containerEdits:
              env: [GPU=yes]
              mounts:
              - {hostPath: %s, containerPath: /usr/gpu, options: [rbind, ro]}
              hooks:
              - {hookName: createRuntime, path: %s, args: [hook, argument], env: [X=1]}
            """.formatted(library, hook));
    }

    private void writeImages() throws IOException {
        Path tree = Files.createDirectories(node.directory().resolve("tree"));
        TestImages.fill(tree);
        Path linked = Files.createDirectories(node.directory().resolve("linked"));
        TestImages.fill(linked);
        Files.createSymbolicLink(linked.resolve("dev"), Path.of("/tmp"));
        Path outside = Files.createDirectories(node.directory().resolve("outside"));
        TestImages.fill(outside);
        Files.delete(outside.resolve("etc/passwd"));
        Files.createSymbolicLink(outside.resolve("etc/passwd"), Path.of("../../../../../../../../usr/lib/of-the-host"));
        Path huge = Files.createDirectories(node.directory().resolve("huge"));
        TestImages.fill(huge);
        Files.write(huge.resolve("etc/group"), new byte[2 << 20]);
        new TestLayout(node.directory().resolve("images/fields"))
                .image("gantry.test/descriptor:1", "\"WorkingDir\":\"/proc/self/fd/7\"", tree)
                .image("gantry.test/linked:1", "\"Cmd\":[\"sh\"]", linked)
                .image("gantry.test/wraps:1", "\"User\":\"4294967296\"", tree)
                .image("gantry.test/outside:1", "\"User\":\"daemon\"", outside)
                .image("gantry.test/huge:1", "\"User\":\"root:tester\"", huge)
                .image("gantry.test/lines:1", "\"Env\":[\"HOME=/x\\nroot2::0:0\"]", tree)
                .image("gantry.test/volume:1", "\"Volumes\":{\"/../../etc\":{}}", tree)
                .write();
    }

    private ContainerConfig.Builder of(String image) {
        ContainerConfig.Builder config = calls.sleeper("c" + System.nanoTime());
        config.getImageBuilder().setImage(image);
        return config;
    }

    private ContainerConfig.Builder sleeper() {
        return calls.sleeper("c" + System.nanoTime());
    }

    @Test
    void aCdiDeviceIsThereWithAllThatItNeeds() throws IOException {
        Files.deleteIfExists(hookRan);
        String container =
                calls.run(pod, sleeper().addCDIDevices(CDIDevice.newBuilder().setName("vendor.com/gpu=0")));

        assertThat(calls.shell(container, "echo $GPU; cat /usr/gpu/lib; echo x > /dev/gpu0 && id -G"))
                .isEqualTo("yes\nof the driver0 4711");
        assertThat(calls.shell(container, "touch /usr/gpu/x 2>&1 || true")).contains("Read-only");
        assertThat(hookRan).hasContent("argument 1");
    }

    @Test
    void aCdiDeviceThatIsNotThereIsRefused() {
        ContainerConfig.Builder none =
                sleeper().addCDIDevices(CDIDevice.newBuilder().setName("vendor.com/gpu=1"));
        assertThat(refused(Status.Code.INVALID_ARGUMENT, () -> calls.create(pod, none)))
                .isEqualTo("CDI device vendor.com/gpu=1 is in no file in [%s]"
                        .formatted(node.directory().resolve("cdi")));
    }

    @Test
    void annotationsBringNoCdiDevice() {
        String container = calls.run(
                pod,
                sleeper()
                        .putAnnotations("cdi.k8s.io/gpu", "vendor.com/gpu=0")
                        .putAnnotations("run.oci.hooks.stdout", "/x"));

        assertThat(calls.shell(container, "test -e /dev/gpu0 || echo none")).isEqualTo("none");
    }

    /// What processes in the container write there is nobody's word for where commands are at home.
    @Test
    void homeIsThatOfTheImage() {
        String container = calls.run(pod, sleeper());
        String home = calls.shell(container, "echo $HOME");

        assertThat(home).isEqualTo(calls.shell(container, "grep ^root: /etc/passwd | cut -d: -f6"));
        var _ = calls.shell(container, "echo root:x:0:0::/elsewhere:/bin/sh > /etc/passwd");
        assertThat(calls.shell(container, "echo $HOME")).isEqualTo(home);
    }

    @Test
    void limitsAreThoseOfTheConfiguration() {
        String container = calls.run(pod, sleeper());

        // Not the soft limit of open files, which Debian's runc raises now and then: its Go runtime has a race there.
        assertThat(calls.shell(container, "ulimit -Hn; ulimit -Sc; ulimit -Ss")).isEqualTo("1000\n0\n4096");
        assertThat(calls.shell(container, "grep -E 'stack|core' /proc/1/limits | tr -s ' '"))
                .isEqualTo("Max stack size 4194304 8388608 bytes \nMax core file size 0 0 bytes");
    }

    @Test
    void aDeviceBelongsToTheUserOfTheRequest() {
        ContainerConfig.Builder config = sleeper()
                .addDevices(Device.newBuilder()
                        .setHostPath("/dev/zero")
                        .setContainerPath("/dev/mine")
                        .setPermissions("r"));
        config.getLinuxBuilder()
                .getSecurityContextBuilder()
                .setRunAsUser(Int64Value.newBuilder().setValue(1000))
                .setRunAsGroup(Int64Value.newBuilder().setValue(1001));
        String container = calls.run(pod, config);

        assertThat(calls.shell(container, "stat -c '%u %g' /dev/mine; head -c 3 /dev/mine | wc -c"))
                .isEqualTo("1000 1001\n3");
    }

    @Test
    void noDescriptorOfTheHostIsOpenInAContainer() {
        String container = calls.run(pod, sleeper());

        assertThat(calls.shell(container, "ls /proc/1/fd")).isEqualTo("0\n1\n2");
        // The one that looks has the folder itself open.
        assertThat(calls.shell(container, "exec ls /proc/self/fd")).isEqualTo("0\n1\n2\n3");
    }

    @Test
    void capabilitiesAreNeverInheritableButForAmbientOnes() {
        String plain = calls.run(pod, sleeper());
        ContainerConfig.Builder config = sleeper();
        config.getLinuxBuilder()
                .getSecurityContextBuilder()
                .setRunAsUser(Int64Value.newBuilder().setValue(1000))
                .getCapabilitiesBuilder()
                .addAddCapabilities("NET_BIND_SERVICE")
                .addAddAmbientCapabilities("NET_BIND_SERVICE");
        String ambient = calls.run(pod, config);

        String masks = "grep -E 'CapInh|CapAmb' /proc/1/status | tr -s '\t' ' '";
        assertThat(calls.shell(plain, masks)).isEqualTo("CapInh: 0000000000000000\nCapAmb: 0000000000000000");
        assertThat(calls.shell(ambient, masks + "; grep CapEff /proc/1/status | tr -s '\t' ' '"))
                .isEqualTo("CapInh: 0000000000000400\nCapAmb: 0000000000000400\nCapEff: 0000000000000400");
    }

    @Test
    void aCommandRunsAsTheContainersUser() {
        ContainerConfig.Builder config = sleeper();
        config.getLinuxBuilder()
                .getSecurityContextBuilder()
                .setRunAsUser(Int64Value.newBuilder().setValue(1000))
                .setRunAsGroup(Int64Value.newBuilder().setValue(77))
                .addSupplementalGroups(88)
                .setSupplementalGroupsPolicy(SupplementalGroupsPolicy.Strict);
        String container = calls.run(pod, config);

        assertThat(calls.shell(container, "id -u; id -g; id -G")).isEqualTo("1000\n77\n77 88");
        assertThat(calls.status(container).getUser().getLinux()).satisfies(it -> {
            assertThat(it.getUid()).isEqualTo(1000);
            assertThat(it.getGid()).isEqualTo(77);
            assertThat(it.getSupplementalGroupsList()).isEqualTo(List.of(77L, 88L));
        });
    }

    @Test
    void imagesThatTryToGetOutAreRefused() {
        assertThat(refused(Status.Code.INVALID_ARGUMENT, () -> calls.create(pod, of("gantry.test/descriptor:1"))))
                .contains("/proc/self/fd/7", "out of the container");
        assertThat(refused(Status.Code.INVALID_ARGUMENT, () -> calls.create(pod, of("gantry.test/linked:1"))))
                .contains("/dev is a link");
        assertThat(refused(Status.Code.INVALID_ARGUMENT, () -> calls.create(pod, of("gantry.test/wraps:1"))))
                .contains("user id 4294967296 is not between 0 and 2147483647");
        assertThat(refused(Status.Code.INVALID_ARGUMENT, () -> calls.create(pod, of("gantry.test/lines:1"))))
                .contains("HOME holds a line break");
        assertThat(refused(Status.Code.INVALID_ARGUMENT, () -> calls.create(pod, of("gantry.test/huge:1"))))
                .contains("/etc/group has 2097152 bytes, more than the 1048576 that are read");
        // The link stays within the image, where there is no such file.
        assertThat(refused(Status.Code.INVALID_ARGUMENT, () -> calls.create(pod, of("gantry.test/outside:1"))))
                .contains("user \"daemon\" is not in /etc/passwd of image gantry.test/outside:1");
    }

    @Test
    void aVolumeOfAnImageStaysInside() {
        String container = calls.run(pod, of("gantry.test/volume:1"));

        assertThat(calls.shell(container, "cat /etc/group; test -e /etc/shadow || echo none"))
                .isEqualTo("root:x:0:\ntester:x:1000:\nnone");
    }
}
