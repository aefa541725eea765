package dev.gantry.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gantry.linux.MountInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostTest {

    private static final List<MountInfo> V2 = List.of(mount("cgroup2", "/sys/fs/cgroup", "rw"));
    private static final List<MountInfo> V1 = cgroups("cpu,cpuacct", "cpuset", "memory", "devices", "freezer", "pids");

    @TempDir
    private Path bin;

    @BeforeEach
    void installPrograms() throws IOException {
        program("runc");
        program("containerd-shim-gantry-v1");
    }

    @Test
    void takesAHostThatHasEverything() {
        assertThat(host(V2, true).check(configuration(""))).isEmpty();
        assertThat(host(V1, true).check(configuration(""))).isEmpty();
    }

    @Test
    void namesAllThatIsMissingAtOnce() throws IOException {
        Files.delete(bin.resolve("runc"));

        assertThatThrownBy(() -> host(cgroups("memory", "pids"), false)
                        .check(configuration("runtime.handlers.runc.shim = \"/opt/none\"")))
                .isInstanceOf(DaemonException.UnfitHost.class)
                .hasMessage("""
                        finds no program at /opt/none: correct runtime.handlers.runc.shim
                        finds no runc in PATH: install runc, or name its path in runtime.handlers.runc.binary
                        finds no cgroup controller cpu, cpuacct, cpuset, devices, freezer: mount each, or boot with \
                        cgroup v2 (systemd.unified_cgroup_hierarchy=1)
                        cannot mount an overlay in /var/lib/gantry: load the kernel module (modprobe overlay), choose a \
                        root on another file system, or set storage.snapshotter = "native\"""");
    }

    @Test
    void saysHowToMountCgroupsWhereThereAreNone() {
        assertThatThrownBy(() -> host(List.of(), true).check(configuration("")))
                .hasMessage("finds no cgroups: mount -t cgroup2 cgroup2 /sys/fs/cgroup");
    }

    @Test
    void needsNoOverlayForCopies() {
        assertThat(host(V2, false).check(configuration("storage.snapshotter = \"native\"")))
                .isEmpty();
    }

    @Test
    void onlyWarnsOfAHandlerThatIsNotTheDefault() {
        assertThat(host(V2, true).check(configuration("runtime.handlers.kata.shim = \"containerd-shim-kata-v2\"")))
                .containsExactly("finds no containerd-shim-kata-v2 in PATH: install it, or"
                        + " name its path in runtime.handlers.kata.shim");
    }

    @Test
    void needsRoot() {
        assertThatThrownBy(() -> new Host(false, programs(), V2, _ -> true).requireRoot())
                .hasMessageStartingWith("needs root");
        assertThatCode(() -> host(V2, true).requireRoot()).doesNotThrowAnyException();
    }

    @Test
    void takesNoFolderAndNoPlainFileForAProgram() throws IOException {
        Files.createDirectory(bin.resolve("folder"));
        Files.createFile(bin.resolve("file"));

        assertThat(programs().find("folder")).isEmpty();
        assertThat(programs().find("file")).isEmpty();
        assertThat(programs().find("runc")).contains(bin.resolve("runc"));
    }

    private Host host(List<MountInfo> mounts, boolean overlay) {
        return new Host(true, programs(), mounts, _ -> overlay);
    }

    private Programs programs() {
        return new Programs("relative::" + bin);
    }

    private static Configuration configuration(String toml) {
        return Configuration.read(TomlFile.parse("test", toml), Optional.empty());
    }

    private static List<MountInfo> cgroups(String... controllers) {
        List<MountInfo> mounts = new ArrayList<>();
        for (String names : controllers) {
            mounts.add(mount("cgroup", "/sys/fs/cgroup/" + names, "rw," + names));
        }
        return mounts;
    }

    private static MountInfo mount(String type, String target, String options) {
        return new MountInfo(1, 0, "/", Path.of(target), Set.of("rw"), List.of(), type, "cgroup", options);
    }

    private void program(String name) throws IOException {
        Files.createFile(
                bin.resolve(name), PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
    }
}
