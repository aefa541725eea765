package dev.gantry.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gantry.cri.oci.Linux;
import dev.gantry.cri.oci.Resources;
import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.cri.runtime.v1.Device;
import dev.gantry.cri.runtime.v1.Int64Value;
import dev.gantry.cri.runtime.v1.LinuxContainerConfig;
import dev.gantry.cri.runtime.v1.LinuxContainerSecurityContext;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ContainerDevicesTest {

    @TempDir
    private Path directory;

    private static ContainerDevices of(String host, String container, String permissions) {
        return ContainerDevices.of(
                ContainerConfig.newBuilder()
                        .addDevices(Device.newBuilder()
                                .setHostPath(host)
                                .setContainerPath(container)
                                .setPermissions(permissions))
                        .build(),
                false,
                true);
    }

    @Test
    void areDeniedToBeginWith() {
        assertThat(ContainerDevices.of(ContainerConfig.getDefaultInstance(), false, true))
                .isEqualTo(new ContainerDevices(List.of(), List.of(Resources.DeviceRule.DENY_ALL)));
    }

    @Test
    void areMadeAndAllowedAsAskedFor() {
        ContainerDevices devices = of("/dev/null", "/dev/nothing", "rw");

        assertThat(devices.nodes()).singleElement().satisfies(it -> {
            assertThat(it.path()).isEqualTo("/dev/nothing");
            assertThat(it.type()).isEqualTo("c");
            assertThat(it.major()).isEqualTo(1);
            assertThat(it.minor()).isEqualTo(3);
        });
        assertThat(devices.rules())
                .containsExactly(Resources.DeviceRule.DENY_ALL, new Resources.DeviceRule(true, "c", 1L, 3L, "rw"));
    }

    @Test
    void areFoundThroughLinks() throws IOException {
        Path link = Files.createSymbolicLink(directory.resolve("link"), Path.of("/dev/zero"));

        assertThat(of(link.toString(), "/dev/x", "").nodes())
                .extracting(Linux.Device::minor)
                .containsExactly(5L);
    }

    @Test
    void areRefusedByPathWhereTheyAreNone() throws IOException {
        Path file = Files.createFile(directory.resolve("file"));

        assertRefused(
                file.toString(),
                "rw",
                "host path %s of device /dev/x is no device and holds none".formatted(file.toRealPath()));
        assertRefused("/dev/no-such", "rw", "host path /dev/no-such of device /dev/x does not exist");
        assertRefused("dev/null", "rw", "host path of a device \"dev/null\" is not an absolute path");
        assertRefused("/dev/null", "rx", "permissions \"rx\" of device /dev/x are not some of r, w and m");
        assertRefused("/dev/null", "rr", "permissions \"rr\" of device /dev/x are not some of r, w and m");
    }

    @Test
    void areAllOfTheHostsWherePrivileged() {
        ContainerConfig config = ContainerConfig.newBuilder()
                .setLinux(LinuxContainerConfig.newBuilder()
                        .setSecurityContext(
                                LinuxContainerSecurityContext.newBuilder().setPrivileged(true)))
                .build();
        ContainerDevices devices = ContainerDevices.of(config, false, true);

        assertThat(devices.rules()).containsExactly(Resources.DeviceRule.ALLOW_ALL);
        assertThat(devices.nodes())
                .extracting(Linux.Device::path)
                .contains("/dev/null", "/dev/zero")
                .noneMatch(it -> it.startsWith("/dev/pts/") || it.equals("/dev/console"));
        assertThat(ContainerDevices.of(config, false, false))
                .as("where the handler keeps the host's devices")
                .isEqualTo(new ContainerDevices(List.of(), List.of(Resources.DeviceRule.DENY_ALL)));
    }

    @Test
    void belongToTheUserOfTheRequestWhereConfigured() {
        ContainerConfig config = ContainerConfig.newBuilder()
                .addDevices(Device.newBuilder().setHostPath("/dev/null").setContainerPath("/dev/x"))
                .setLinux(LinuxContainerConfig.newBuilder()
                        .setSecurityContext(LinuxContainerSecurityContext.newBuilder()
                                .setRunAsUser(Int64Value.newBuilder().setValue(1000))
                                .setRunAsGroup(Int64Value.newBuilder().setValue(2000))))
                .build();

        assertThat(ContainerDevices.of(config, true, true).nodes())
                .singleElement()
                .satisfies(it -> {
                    assertThat(it.uid()).isEqualTo(1000L);
                    assertThat(it.gid()).isEqualTo(2000L);
                });
        assertThat(ContainerDevices.of(config, false, true).nodes())
                .extracting(Linux.Device::uid)
                .containsExactly(0L);
    }

    @Test
    void haveTheirNumbersFromTheKernelsLayout() {
        long device = 0xabcde00012345678L & 0xfffff00fffffffffL;

        assertThat(HostDevices.major(0x0103)).isEqualTo(1);
        assertThat(HostDevices.minor(0x0103)).isEqualTo(3);
        assertThat(HostDevices.minor(0x12300005L)).isEqualTo(0x12305);
        assertThat(HostDevices.major(device) & 0xfff).isEqualTo((device >>> 8) & 0xfff);
    }

    private static void assertRefused(String host, String permissions, String message) {
        assertThatThrownBy(() -> of(host, "/dev/x", permissions))
                .isInstanceOf(ContainerException.InvalidRequest.class)
                .hasMessage(message);
    }
}
