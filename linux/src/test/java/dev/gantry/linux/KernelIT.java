package dev.gantry.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(RootRequired.class)
class KernelIT {

    private static final Path NOWHERE = Path.of("");

    @TempDir(cleanup = CleanupMode.NEVER)
    private Path temporary;

    private Path directory = NOWHERE;

    @BeforeEach
    void resolve() throws Exception {
        directory = temporary.toRealPath();
    }

    /// JUnit's own removal would follow what is mounted.
    @AfterEach
    void cleanUp() {
        Mounts.unmountTree(directory);
        Trees.delete(directory);
    }

    @Test
    void mountsAndUnmounts() throws Exception {
        Path target = make("target");

        Mounts.mount(new Mount("tmpfs", "tmpfs", NOWHERE, List.of("nosuid", "nodev", "size=1m", "mode=0700")), target);

        MountInfo mount = MountTable.of(target).orElseThrow();
        assertThat(mount.type()).isEqualTo("tmpfs");
        assertThat(mount.options()).contains("nosuid", "nodev", "rw");
        assertThat(FileSystems.statfs(target).totalBytes()).isEqualTo(1 << 20);
        Mounts.unmount(target);
        Mounts.unmount(target);
        Mounts.unmount(directory.resolve("absent"));
        assertThat(MountTable.of(target)).isEmpty();
    }

    @Test
    void mountsOnAPlaceWithASpace() throws Exception {
        Path target = make("a b");

        Mounts.mount(new Mount("tmpfs", "tmpfs", NOWHERE, List.of()), target);

        assertThat(MountTable.of(target)).isPresent();
    }

    @Test
    void bindsReadOnly() throws Exception {
        Path from = make("from");
        Path to = make("to");

        Mounts.bind(from, to, true, false);

        assertThat(MountTable.of(to))
                .get()
                .satisfies(mount -> assertThat(mount.options()).contains("ro"));
        assertThatThrownBy(() -> AtomicFile.write(to.resolve("x"), new byte[1], 0600))
                .isInstanceOfSatisfying(
                        ErrnoException.class, e -> assertThat(e.is(Errno.EROFS)).isTrue());
    }

    @Test
    void setsPropagationAsAnOption() throws Exception {
        Path target = make("target");

        Mounts.mount(new Mount("none", target.toString(), NOWHERE, List.of("bind", "private")), target);
        assertThat(MountTable.of(target).orElseThrow().tags()).isEmpty();
        Mounts.propagation(target, Propagation.SHARED);

        assertThat(MountTable.of(target).orElseThrow().tags()).anyMatch(tag -> tag.startsWith("shared:"));
    }

    @Test
    void saysWhatCannotBeMounted() throws Exception {
        Path target = make("target");

        assertThatThrownBy(() -> Mounts.mount(new Mount("nosuchfs", "none", NOWHERE, List.of()), target))
                .isInstanceOf(ErrnoException.class)
                .hasMessage("cannot mount nosuchfs on %s: ENODEV (no such device)", target);
        assertThatThrownBy(() -> Mounts.mount(new Mount("tmpfs", "tmpfs", Path.of("../../x"), List.of()), target))
                .isInstanceOf(ErrnoException.class)
                .hasMessageContaining("outside of");
    }

    @Test
    void unmountsATreeInnermostFirstEvenWhenStacked() throws Exception {
        Mount tmpfs = new Mount("tmpfs", "tmpfs", NOWHERE, List.of());
        Path outer = make("outer");
        Mounts.mount(tmpfs, outer);
        Mounts.mount(tmpfs, outer);
        Path inner = Files.createDirectory(outer.resolve("inner"));
        Mounts.mount(tmpfs, inner);

        Mounts.unmountTree(directory);

        assertThat(MountTable.read()).noneMatch(mount -> mount.target().startsWith(directory));
    }

    @Test
    void detachesWhatIsBusy() throws Exception {
        Path target = make("target");
        Mounts.mount(new Mount("tmpfs", "tmpfs", NOWHERE, List.of()), target);
        Path file = Files.writeString(target.resolve("file"), "x");

        try (Fd _ = new Fd(Kernel.open(file, Kernel.O_RDONLY, 0), file)) {
            assertThatThrownBy(() -> Mounts.unmount(target))
                    .isInstanceOfSatisfying(
                            ErrnoException.class,
                            e -> assertThat(e.is(Errno.EBUSY)).isTrue());
            Mounts.unmountTree(target);
        }

        assertThat(MountTable.of(target)).isEmpty();
    }

    @Test
    void mountsAnOverlayOf127LayersWhoseOptionsExceedAPage() throws Exception {
        List<String> lower = new ArrayList<>();
        for (int i = 0; i < 127; i++) {
            Path layer =
                    Files.createDirectories(make("layers").resolve("%03d-with-a-name-that-takes-room".formatted(i)));
            Files.writeString(layer.resolve("file-" + i), "layer " + i);
            lower.add(layer.toString());
        }
        String layers = "lowerdir=" + String.join(":", lower);
        // In quotes, as labels of SELinux are.
        List<String> options = List.of(
                layers, "upperdir=" + make("upper"), "workdir=" + make("work"), "nosuid", "redirect_dir=\"off\"");
        Path merged = make("merged");

        Mounts.mount(new Mount("overlay", "overlay", NOWHERE, options), merged);

        assertThat(layers.length()).isGreaterThan(4096);
        assertThat(merged.resolve("file-0")).hasContent("layer 0");
        assertThat(merged.resolve("file-126")).hasContent("layer 126");
        assertThat(MountTable.of(merged).orElseThrow().options()).contains("nosuid");
    }

    @Test
    void mountsManyLayersAsOlderKernelsNeedIt() throws Exception {
        Path base = make("a-path-long-enough-that-the-options-exceed-a-page");
        List<String> lower = new ArrayList<>();
        for (int i = 0; i < 127; i++) {
            Path layer = Files.createDirectories(base.resolve(i + "/fs"));
            Files.writeString(layer.resolve("file-" + i), "layer " + i);
            lower.add(layer.toString());
        }
        String layers = "lowerdir=" + String.join(":", lower);
        Path merged = make("merged");
        String here = link("/proc/self/cwd");

        OverlayMount.mountRelative(MountOptions.parse(List.of(layers, "ro")), merged);

        assertThat(layers.length()).isGreaterThan(4096);
        assertThat(merged.resolve("file-126")).hasContent("layer 126");
        assertThat(link("/proc/self/cwd")).isEqualTo(here);
    }

    @Test
    void namesTheLayerThatAnOverlayLacks() throws Exception {
        String absent = directory.resolve("absent-" + "x".repeat(200)).toString();
        String lower = "lowerdir=" + String.join(":", Collections.nCopies(30, absent));
        Path merged = make("merged");

        assertThatThrownBy(() -> Mounts.mount(new Mount("overlay", "overlay", NOWHERE, List.of(lower)), merged))
                .isInstanceOfSatisfying(
                        ErrnoException.class,
                        e -> assertThat(e.is(Errno.ENOENT)).isTrue())
                .hasMessageStartingWith("cannot mount overlay on " + merged);
        assertThat(MountTable.of(merged)).isEmpty();
    }

    @Test
    void makesANetworkNamespaceAndLeavesNothing() throws Exception {
        Path pin = directory.resolve("netns/one");

        NetworkNamespaces.create(pin);
        String own = link("/proc/self/ns/net");
        String inside = NetworkNamespaces.call(pin, () -> link("/proc/thread-self/ns/net"));
        String addresses = NetworkNamespaces.call(
                pin,
                () -> Spawn.run(Spawn.command("cat", "/proc/net/if_inet6"), Duration.ofSeconds(10))
                        .outputText());

        assertThat(NetworkNamespaces.exists(pin)).isTrue();
        assertThat(inside).isNotEqualTo(own);
        // The address of a loopback that is up, and no other interface's.
        assertThat(addresses.strip().lines())
                .singleElement()
                .satisfies(line -> assertThat(line).endsWith("lo"));
        assertThatThrownBy(() -> NetworkNamespaces.create(pin))
                .isInstanceOfSatisfying(
                        ErrnoException.class,
                        e -> assertThat(e.is(Errno.EEXIST)).isTrue());
        assertThat(NetworkNamespaces.exists(pin)).isTrue();
        NetworkNamespaces.remove(pin);
        NetworkNamespaces.remove(pin);
        assertThat(NetworkNamespaces.exists(pin)).isFalse();
        assertThat(pin).doesNotExist();
        assertThat(MountTable.read()).noneMatch(mount -> mount.target().startsWith(directory));
        assertThat(link("/proc/self/ns/net")).isEqualTo(own);
    }

    @Test
    void takesAPinLeftByARebootForNoNamespace() throws Exception {
        Path pin = Files.writeString(directory.resolve("pin"), "");

        assertThat(NetworkNamespaces.exists(pin)).isFalse();
        NetworkNamespaces.remove(pin);

        assertThat(pin).doesNotExist();
    }

    @Test
    void refusesToRemoveATreeThroughAMount() throws Exception {
        Path outside = make("outside");
        Files.writeString(outside.resolve("precious"), "x");
        Path target = Files.createDirectories(make("tree").resolve("a/b"));
        Mounts.bind(outside, target, false, false);

        assertThatThrownBy(() -> Trees.delete(directory.resolve("tree")))
                .isInstanceOf(ErrnoException.class)
                .hasMessageContaining("mounted below");

        assertThat(outside.resolve("precious")).exists();
    }

    @Test
    void makesAndRemovesCgroups() throws Exception {
        Cgroups cgroups = Cgroups.host();
        String path = "/gantry-it-" + HostFacts.pid() + "/pod/container";
        String top = "/gantry-it-" + HostFacts.pid();
        try {
            cgroups.create(path);
            String controller = cgroups.hasController("pids")
                    ? "pids"
                    : cgroups.controllers().getFirst();
            Process sleeping = new ProcessBuilder("sleep", "60").start();
            try {
                cgroups.write(controller, path, "cgroup.procs", String.valueOf(sleeping.pid()));

                assertThat(cgroups.exists(path)).isTrue();
                assertThat(cgroups.read(controller, path, "cgroup.procs")).contains(sleeping.pid() + "\n");
                assertThat(cgroups.pathOf((int) sleeping.pid(), controller)).isEqualTo(path);
                assertThat(cgroups.read(controller, path, "no.such.file")).isEmpty();
            } finally {
                sleeping.destroyForcibly().waitFor();
            }
        } finally {
            cgroups.remove(top);
            cgroups.remove(top);
        }

        assertThat(cgroups.exists(top)).isFalse();
    }

    @Test
    void letsAProcessJoinEveryControllerOfANewGroup() throws Exception {
        Cgroups cgroups = Cgroups.host();
        String top = "/gantry-all-" + HostFacts.pid();
        Process sleeping = new ProcessBuilder("sleep", "60").start();
        try {
            cgroups.create(top + "/leaf");
            for (String controller : Set.copyOf(cgroups.controllers())) {
                cgroups.write(controller, top + "/leaf", "cgroup.procs", String.valueOf(sleeping.pid()));
            }
            assertThat(cgroups.processes(top + "/leaf")).containsExactly((int) sleeping.pid());
        } finally {
            sleeping.destroyForcibly().waitFor();
            cgroups.remove(top);
        }
    }

    private Path make(String name) throws Exception {
        return Files.createDirectories(directory.resolve(name));
    }

    private static String link(String path) throws Exception {
        return Files.readSymbolicLink(Path.of(path)).toString();
    }
}
