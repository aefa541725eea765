package dev.gantry.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The node that most users have, which the machine of the tests need not be: systemd, cgroup v2, AppArmor; and crun.
class NodeVmIT {

    @TempDir
    private Path share;

    @Test
    void runsPodsInASliceOfSystemdAndUnderAppArmorAndWithCrun() throws IOException {
        String output = Scripts.runInVm("node-vm.sh", share, List.of("-t", "420"));

        assertThat(output)
                .containsPattern("cgroup: 0::/gantry\\.slice/.*\\.scope")
                .containsPattern("log: \\S+ stdout F serving on port 8080")
                .containsPattern("memory: [1-9]\\d*")
                .containsPattern("cpu: [1-9]\\d*")
                .containsPattern("pod: cpu [1-9]\\d* memory [1-9]\\d* processes 2 received by eth0 \\d+")
                .containsPattern("metrics: [3-9]\\d, not announced: \\[\\]")
                .contains("gone")
                .containsPattern("crun: memory [1-9]\\d*")
                .containsPattern("crun: \\S+ stdout F serving on port 8080")
                .contains("container under gantry-test (enforce)", "pod under gantry-test (enforce)")
                .contains("refused: AppArmor profile not-loaded is not loaded on this node");
        for (String asked : List.of("no profile", "RuntimeDefault")) {
            assertThat(output)
                    .contains(
                            asked + ": container gantry-default (enforce), pod gantry-default (enforce)",
                            asked + ": /proc/sys/kernel/shmmni written",
                            asked + ": /tmp/file written",
                            asked + ": in exec gantry-default (enforce), signal 0")
                    .containsPattern(asked + ": /proc/sys/vm/swappiness .*[Pp]ermission denied");
        }
        assertThat(output)
                .contains(
                        "Unconfined: container unconfined, pod unconfined",
                        "Unconfined: /proc/sys/vm/swappiness written",
                        "Unconfined: in exec unconfined, signal 0");
    }
}
