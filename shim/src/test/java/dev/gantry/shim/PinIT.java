package dev.gantry.shim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gantry.linux.HostFacts;
import dev.gantry.linux.IdMapping;
import dev.gantry.linux.MountTable;
import dev.gantry.linux.Mounts;
import dev.gantry.linux.NetworkNamespaces;
import dev.gantry.linux.Spawn;
import dev.gantry.linux.UserNamespaces;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The namespaces that the shim's program pins, on the real kernel.
class PinIT {

    private static final IdMapping USERS = new IdMapping(0, 100000, 1000);
    private static final IdMapping GROUPS = new IdMapping(0, 200000, 1000);

    private final UserNamespaces namespaces =
            new UserNamespaces(Path.of("target/containerd-shim-gantry-v1").toAbsolutePath());

    @TempDir
    private Path directory;

    private Path user;
    private Path network;

    @BeforeEach
    void needRoot() {
        Assumptions.assumeTrue(HostFacts.isRoot(), "namespaces need root");
        user = directory.resolve("ns/user");
        network = directory.resolve("ns/net");
    }

    @AfterEach
    void unpin() {
        Mounts.unmountTree(directory);
    }

    private static Spawn.Result run(String... command) throws InterruptedException {
        return Spawn.run(Spawn.command(command), Duration.ofSeconds(20));
    }

    private String inside(String script) throws InterruptedException {
        Spawn.Result result = run("nsenter", "--user=" + user, "--net=" + network, "sh", "-c", script);
        assertThat(result.ok()).as(result.errorText()).isTrue();
        return result.outputText();
    }

    @Test
    void haveTheMappingsAndALoopbackAndBelongTogether() throws InterruptedException {
        namespaces.create(USERS, GROUPS, user, Optional.of(network));

        assertThat(inside("cat /proc/self/uid_map /proc/self/gid_map").strip().split("\\s+"))
                .containsExactly("0", "100000", "1000", "0", "200000", "1000");
        assertThat(inside("cat /sys/class/net/lo/flags; ip -o link show lo")).contains("UP,LOWER_UP");
        // Only who owns the network namespace may do that.
        assertThat(inside("ip link set lo mtu 1400 && ip -o link show lo")).contains("mtu 1400");
        NetworkNamespaces.remove(user);
        NetworkNamespaces.remove(network);
        assertThat(mountsBelow()).isEmpty();
    }

    @Test
    void leaveNothingWhenTheyCannotBeMade() throws IOException, InterruptedException {
        Files.createDirectory(directory.resolve("ns"));
        Files.createFile(network);

        assertThatThrownBy(() -> namespaces.create(USERS, GROUPS, user, Optional.of(network)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("cannot make a user namespace with ids 0:100000:1000 and 0:200000:1000")
                .hasMessageContaining("File exists");
        assertThat(user).doesNotExist();
        assertThat(mountsBelow()).isEmpty();
    }

    @Test
    void showFilesWithTheOwnersThatTheyHaveInside() throws IOException, InterruptedException {
        namespaces.create(USERS, GROUPS, user, Optional.empty());
        Path files = Files.createDirectory(directory.resolve("files"));
        Files.createFile(files.resolve("file"));
        Files.setAttribute(files.resolve("file"), "unix:uid", 7);
        Path shown = Files.createDirectory(directory.resolve("shown"));

        UserNamespaces.mount(files, shown, user, true);

        assertThat(Files.readAttributes(shown.resolve("file"), "unix:uid,gid"))
                .containsEntry("uid", 100007)
                .containsEntry("gid", 200000);
        assertThatThrownBy(() -> Files.createFile(shown.resolve("more"))).hasMessageContaining("Read-only");
        UserNamespaces.checkMount(files, user);
        assertThat(mountsBelow()).containsExactlyInAnyOrder(user, shown);
    }

    @Test
    void doNotShiftWhereTheFileSystemCannot() throws InterruptedException {
        namespaces.create(USERS, GROUPS, user, Optional.empty());

        assertThatThrownBy(() -> UserNamespaces.checkMount(Path.of("/proc"), user))
                .hasMessageContaining("cannot shift the ids of /proc");
    }

    private List<Path> mountsBelow() {
        return MountTable.read().stream()
                .map(it -> it.target())
                .filter(it -> it.startsWith(directory))
                .toList();
    }
}
