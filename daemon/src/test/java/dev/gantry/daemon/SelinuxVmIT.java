package dev.gantry.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A node whose kernel has SELinux: Debian's policy, enforced, with types for containers.
class SelinuxVmIT {

    private static final Pattern PROCESS = Pattern.compile("^process: (.*:container_t:(.*))$", Pattern.MULTILINE);

    @TempDir
    private Path share;

    @Test
    void keepsPodsApartByLabelsThatTheirFilesHaveToo() throws IOException {
        String output = run();

        Matcher process = PROCESS.matcher(output);
        assertThat(process.find()).as(output).isTrue();
        String level = process.group(2);
        assertThat(process.group(1)).matches("system_u:system_r:container_t:s0:c\\d+,c\\d+");
        for (String path : List.of(
                "/",
                "/bin/busybox",
                "/etc/hosts",
                "/etc/hostname",
                "/etc/resolv.conf",
                "/dev",
                "/dev/shm",
                "/dev/pts",
                "/dev/mqueue",
                "/declared/file",
                "/image/bin/busybox",
                "/srv/shared",
                "/srv/shared/file")) {
            assertThat(output).contains("label of " + path + ": system_u:object_r:container_file_t:" + level + "\n");
        }
        assertThat(output)
                .contains("label of /srv/node/file: system_u:object_r:var_t:s0\n")
                .contains(
                        "one: cat /etc/hosts /etc/hostname /etc/resolv.conf: done",
                        "one: echo x >/file: done",
                        "one: echo x >/dev/shm/file: done",
                        "one: echo x >/declared/new: done",
                        "one: /image/bin/busybox true: done",
                        "one: cat /srv/shared/file: done",
                        "one: echo x >/srv/shared/new: done")
                .containsPattern("one: cat /srv/node/file: .*Permission denied")
                .containsPattern("two: what another pod has relabelled: .*Permission denied")
                .doesNotContain("other process: " + process.group(1))
                .contains("joined: the same of a pod with its level: done")
                .contains("same level in a pod: true")
                .contains("level of its own: system_u:system_r:container_t:s0:c1000,c1001\n")
                .contains("privileged: system_u:system_r:spc_t:s0\n")
                .contains("refused: INVALID_ARGUMENT: the SELinux policy of this node does not know the label"
                        + " system_u:system_r:unknown_t:s0")
                .contains(
                        "refused: INVALID_ARGUMENT: SELinux label \"system_u:system_r:t,ro:s0\" is not written as one");
    }

    private String run() throws IOException {
        Files.copy(Scripts.tree().resolve("hack/containers.cil"), share.resolve("containers.cil"));
        image(share.resolve("images"));
        return Scripts.runInVm("selinux-vm.sh", share, List.of("-s", "selinux", "-t", "420"));
    }

    /// Declares a volume.
    private void image(Path images) throws IOException {
        Path files = Files.createDirectory(share.resolve("tree"));
        TestImages.fill(files);
        Files.writeString(Files.createDirectory(files.resolve("declared")).resolve("file"), "from the image");
        new TestLayout(images.resolve("labels"))
                .image(VmSelinux.IMAGE, "\"Env\":[\"PATH=/bin\"],\"Volumes\":{\"/declared\":{}}", files)
                .write();
    }
}
