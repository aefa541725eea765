package dev.gantry.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

/// What the kernel writes about networks, waiting, huge pages and processes.
class KernelFilesTest {

    @Test
    void readsInterfacesWithoutTheLoopback() {
        String table = """
            Inter-|   Receive                                                |  Transmit
             face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
                lo:    3193      29    0    0    0     0          0         0     3193      29    0    0    0     0       0          0
              eth0:690723658   32021    1    2    0     0          0         0  2679848   23027    3    4    0     0       0          0
              net1:       7       1    0    0    0     0          0         0        0       0    0    0    0     0       0          0
            """;

        assertThat(NetworkDevice.parse(table))
                .containsExactly(
                        new NetworkDevice("eth0", 690723658, 32021, 1, 2, 2679848, 23027, 3, 4),
                        new NetworkDevice("net1", 7, 1, 0, 0, 0, 0, 0, 0));
    }

    @Test
    void passesOverWhatIsNoInterface() {
        assertThat(NetworkDevice.parse("")).isEmpty();
        assertThat(NetworkDevice.parse("one\ntwo\neth0: 1 2 3\n")).isEmpty();
    }

    @Test
    void readsPressure() {
        Pressure pressure = Pressure.parse(KernelText.of("""
            some avg10=0.12 avg60=1.50 avg300=0.90 total=184
            full avg10=0.00 avg60=0.25 avg300=0.00 total=7
            """));

        assertThat(pressure.some()).contains(new Pressure.Stall(0.12, 1.5, 0.9, 184));
        assertThat(pressure.full()).contains(new Pressure.Stall(0, 0.25, 0, 7));
    }

    @Test
    void olderKernelsDoNotSayThatAllWaitForTheCpu() {
        Pressure pressure = Pressure.parse(KernelText.of("some avg10=0.00 avg60=0.00 avg300=0.00 total=1\n"));

        assertThat(pressure.full()).isEqualTo(Optional.empty());
    }

    @Test
    void namesHugePagesAsCgroupsDo() {
        assertThat(List.of(HugepageSizes.name(64), HugepageSizes.name(2048), HugepageSizes.name(1 << 20)))
                .containsExactly("64KB", "2MB", "1GB");
    }

    @Test
    void countsWhatAProcessHoldsOpen() {
        int self = (int) ProcessHandle.current().pid();

        ProcessCounts counts = ProcessCounts.of(List.of(self, Integer.MAX_VALUE));

        assertThat(counts.processes()).isEqualTo(2);
        assertThat(counts.descriptors().orElse(0)).isPositive();
        assertThat(counts.sockets()).isPresent();
        assertThat(ProcessCounts.openFilesLimit(self).orElse(0)).isPositive();
        assertThat(ProcessCounts.openFilesLimit(Integer.MAX_VALUE)).isEqualTo(OptionalLong.empty());
    }

    @Test
    void countsTasksByTheirState() throws Exception {
        Process sleeper = new ProcessBuilder("sleep", "60").start();
        Process stopped = new ProcessBuilder("sh", "-c", "kill -STOP $$").start();
        List<Integer> pids = List.of((int) sleeper.pid(), (int) stopped.pid(), Integer.MAX_VALUE);
        try {
            TaskStates expected = new TaskStates(1, 0, 1, 0);
            for (int i = 0; i < 500 && !TaskStates.of(pids).equals(Optional.of(expected)); i++) {
                Thread.sleep(10);
            }
            assertThat(TaskStates.of(pids)).contains(expected);
        } finally {
            sleeper.destroyForcibly().waitFor();
            stopped.destroyForcibly().waitFor();
        }
        assertThat(TaskStates.of(pids)).contains(new TaskStates(0, 0, 0, 0));
    }
}
