package dev.gantry.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gantry.cri.runtime.v1.Metric;
import dev.gantry.cri.runtime.v1.MetricDescriptor;
import dev.gantry.linux.Cgroups;
import dev.gantry.linux.FileSystems;
import dev.gantry.linux.NetworkDevice;
import dev.gantry.linux.Usage;
import dev.gantry.storage.LayerUsages;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MetricFamiliesTest {

    private static final List<String> LABELS = List.of("/pod/c", "c1", "app:1", "main", "web", "default");

    /// Without those of pressure and of the cost of disks, which version 2 has, and those of huge pages, which need
    /// such.
    private static final String NAMES = """
            container_blkio_device_usage_total
            container_cpu_cfs_burst_periods_total
            container_cpu_cfs_burst_seconds_total
            container_cpu_cfs_periods_total
            container_cpu_cfs_throttled_periods_total
            container_cpu_cfs_throttled_seconds_total
            container_cpu_system_seconds_total
            container_cpu_usage_seconds_total
            container_cpu_user_seconds_total
            container_file_descriptors
            container_fs_inodes_free
            container_fs_inodes_total
            container_fs_limit_bytes
            container_fs_reads_bytes_total
            container_fs_reads_total
            container_fs_sector_reads_total
            container_fs_sector_writes_total
            container_fs_usage_bytes
            container_fs_writes_bytes_total
            container_fs_writes_total
            container_last_seen
            container_memory_cache
            container_memory_failcnt
            container_memory_failures_total
            container_memory_kernel_usage
            container_memory_mapped_file
            container_memory_max_usage_bytes
            container_memory_rss
            container_memory_swap
            container_memory_total_active_file_bytes
            container_memory_total_inactive_file_bytes
            container_memory_usage_bytes
            container_memory_working_set_bytes
            container_network_receive_bytes_total
            container_network_receive_errors_total
            container_network_receive_packets_dropped_total
            container_network_receive_packets_total
            container_network_transmit_bytes_total
            container_network_transmit_errors_total
            container_network_transmit_packets_dropped_total
            container_network_transmit_packets_total
            container_oom_events_total
            container_processes
            container_sockets
            container_spec_cpu_period
            container_spec_cpu_quota
            container_spec_cpu_shares
            container_spec_memory_limit_bytes
            container_spec_memory_reservation_limit_bytes
            container_spec_memory_swap_limit_bytes
            container_start_time_seconds
            container_tasks_state
            container_threads
            container_threads_max
            container_ulimits_soft""";

    @TempDir
    private Path folder;

    private static List<Metric> metrics(Cgroups cgroups) {
        int self = (int) ProcessHandle.current().pid();
        Container container = TestContainers.in(ContainerState.STARTING).running(self, Instant.EPOCH.plusSeconds(1));
        MetricSource source = new MetricSource(
                new CgroupUsage(cgroups.keep(RecordedCgroups.PATH), cgroups.isV2()),
                LABELS,
                9_000_000_000L,
                Optional.of(new MetricSource.Inside(
                        container,
                        () -> List.of(self),
                        () -> Optional.of(new LayerUsages.Counted(new Usage(4096, 1), Instant.EPOCH)),
                        new LayerFileSystem("/dev/vda1", new FileSystems.StatFs(0, 4096, 1000, 500, 400, 100, 50)))));
        NetworkDevice eth0 = new NetworkDevice("eth0", 1, 2, 3, 4, 5, 6, 7, 8);
        return Stream.concat(
                        MetricFamilies.of(cgroups).stream().flatMap(it -> it.read(source)),
                        NetworkMetrics.read(List.of(eth0), LABELS, 9_000_000_000L))
                .toList();
    }

    private static Map<String, MetricDescriptor> descriptors(Cgroups cgroups) {
        return Stream.concat(
                        MetricFamilies.of(cgroups).stream().map(MetricFamily::descriptor), NetworkMetrics.descriptors())
                .collect(Collectors.toMap(MetricDescriptor::getName, Function.identity()));
    }

    /// The value of a metric whose own labels are these.
    private static long value(List<Metric> metrics, String name, String... labels) {
        return metrics.stream()
                .filter(it -> it.getName().equals(name)
                        && it.getLabelValuesList()
                                .subList(LABELS.size(), it.getLabelValuesCount())
                                .equals(List.of(labels)))
                .map(it -> it.getValue().getValue())
                .findFirst()
                .orElseThrow(() -> new AssertionError(name + " is not told"));
    }

    @Test
    void whatIsToldIsAnnouncedWithItsLabelsAndOnce() {
        for (Cgroups cgroups :
                List.of(RecordedCgroups.v1(folder.resolve("1")), RecordedCgroups.v2(folder.resolve("2")))) {
            Map<String, MetricDescriptor> announced = descriptors(cgroups);
            List<Metric> metrics = metrics(cgroups);

            assertThat(metrics).allSatisfy(metric -> {
                assertThat(announced).containsKey(metric.getName());
                assertThat(metric.getLabelValuesCount())
                        .as(metric.getName())
                        .isEqualTo(Objects.requireNonNull(announced.get(metric.getName()))
                                .getLabelKeysCount());
                assertThat(metric.getTimestamp()).isPositive();
            });
            assertThat(metrics.stream().map(it -> it.getName() + it.getLabelValuesList()))
                    .doesNotHaveDuplicates();
            assertThat(metrics.stream().map(Metric::getName)).containsAll(withoutHugepages(announced));
            assertThat(announced.values()).allSatisfy(it -> {
                assertThat(it.getHelp()).endsWith(".");
                assertThat(it.getLabelKeysList()).startsWith("id", "name", "image", "container", "pod", "namespace");
            });
        }
    }

    private static List<String> withoutHugepages(Map<String, MetricDescriptor> announced) {
        return announced.keySet().stream().filter(it -> !it.contains("hugetlb")).toList();
    }

    @Test
    void bothVersionsTellTheSameOfWhatBothKnow() {
        for (Cgroups cgroups :
                List.of(RecordedCgroups.v1(folder.resolve("1")), RecordedCgroups.v2(folder.resolve("2")))) {
            List<Metric> metrics = metrics(cgroups);

            assertThat(value(metrics, "container_cpu_usage_seconds_total", "total"))
                    .isEqualTo(2);
            assertThat(value(metrics, "container_cpu_user_seconds_total")).isEqualTo(1);
            assertThat(value(metrics, "container_cpu_cfs_throttled_periods_total"))
                    .isEqualTo(7);
            assertThat(value(metrics, "container_cpu_cfs_throttled_seconds_total"))
                    .isEqualTo(3);
            assertThat(value(metrics, "container_cpu_cfs_burst_periods_total")).isEqualTo(2);
            assertThat(value(metrics, "container_cpu_cfs_burst_seconds_total")).isEqualTo(1);
            assertThat(value(metrics, "container_memory_working_set_bytes")).isEqualTo(12582912 - 4194304);
            assertThat(value(metrics, "container_memory_failcnt")).isEqualTo(3);
            assertThat(value(metrics, "container_oom_events_total")).isEqualTo(2);
            assertThat(value(metrics, "container_memory_failures_total", "pgfault", "hierarchy"))
                    .isEqualTo(600);
            assertThat(value(metrics, "container_spec_cpu_quota")).isEqualTo(50000);
            assertThat(value(metrics, "container_spec_cpu_period")).isEqualTo(100000);
            assertThat(value(metrics, "container_spec_memory_limit_bytes")).isEqualTo(67108864);
            assertThat(value(metrics, "container_spec_memory_reservation_limit_bytes"))
                    .isZero();
            assertThat(value(metrics, "container_threads")).isEqualTo(9);
            assertThat(value(metrics, "container_threads_max")).isZero();
            assertThat(value(metrics, "container_fs_limit_bytes", "/dev/vda1")).isEqualTo(4096 * 1000);
            assertThat(value(metrics, "container_fs_usage_bytes", "/dev/vda1")).isEqualTo(4096);
            assertThat(value(metrics, "container_start_time_seconds")).isEqualTo(1);
            assertThat(value(metrics, "container_last_seen")).isEqualTo(9);
            assertThat(value(metrics, "container_processes")).isEqualTo(1);
            assertThat(value(metrics, "container_tasks_state", "sleeping")).isPositive();
            assertThat(value(metrics, "container_tasks_state", "stopped")).isZero();
            assertThat(value(metrics, "container_network_transmit_packets_dropped_total", "eth0"))
                    .isEqualTo(8);
            assertThat(metrics)
                    .filteredOn(it -> it.getName().equals("container_blkio_device_usage_total"))
                    .anySatisfy(it -> {
                        assertThat(it.getLabelValuesList()).endsWith("7", "3", "Read");
                        assertThat(it.getValue().getValue()).isEqualTo(8192);
                    });
        }
    }

    @Test
    void sharesAreThoseThatTheWeightWasMadeOf() {
        assertThat(value(metrics(RecordedCgroups.v1(folder.resolve("1"))), "container_spec_cpu_shares"))
                .isEqualTo(512);
        assertThat(value(metrics(RecordedCgroups.v2(folder.resolve("2"))), "container_spec_cpu_shares"))
                .isEqualTo(126);
    }

    /// A dashboard that asks for one that is gone shows nothing.
    @Test
    void areThoseThatDashboardsKnow() {
        Set<String> both = Set.of(NAMES.split("\\s+"));
        assertThat(descriptors(RecordedCgroups.v1(folder.resolve("1"))).keySet())
                .filteredOn(it -> !it.contains("hugetlb"))
                .containsExactlyInAnyOrderElementsOf(both);
        assertThat(descriptors(RecordedCgroups.v2(folder.resolve("2"))).keySet())
                .filteredOn(it -> !it.contains("hugetlb") && !it.contains("pressure") && !it.contains("cost"))
                .containsExactlyInAnyOrderElementsOf(both);
        assertThat(descriptors(RecordedCgroups.v2(folder.resolve("2"))).keySet())
                .filteredOn(it -> it.contains("pressure"))
                .hasSize(6);
    }

    @Test
    void sectorsHave512Bytes() {
        for (Cgroups cgroups :
                List.of(RecordedCgroups.v1(folder.resolve("1")), RecordedCgroups.v2(folder.resolve("2")))) {
            assertThat(amounts(cgroups, "container_fs_sector_reads_total")).containsExactly(16L);
            assertThat(amounts(cgroups, "container_fs_sector_writes_total")).containsExactly(8L);
        }
    }

    @Test
    void onlyVersion2TellsOfTheCostOfDisks() {
        Cgroups v2 = RecordedCgroups.v2(folder.resolve("2"));

        assertThat(descriptors(RecordedCgroups.v1(folder.resolve("1"))).keySet())
                .noneMatch(it -> it.contains("cost"));
        assertThat(amounts(v2, "container_fs_io_cost_usage_seconds_total")).containsExactly(2L);
        assertThat(amounts(v2, "container_fs_io_cost_wait_seconds_total")).containsExactly(3L);
        assertThat(amounts(v2, "container_fs_io_cost_indebt_seconds_total")).containsExactly(4L);
        assertThat(amounts(v2, "container_fs_io_cost_indelay_seconds_total")).containsExactly(5L);
    }

    /// The values of a metric whatever its labels.
    private List<Long> amounts(Cgroups cgroups, String name) {
        return metrics(cgroups).stream()
                .filter(it -> it.getName().equals(name))
                .map(it -> it.getValue().getValue())
                .toList();
    }

    @Test
    void onlyVersion2TellsOfPressure() {
        List<Metric> v2 = metrics(RecordedCgroups.v2(folder.resolve("2")));

        assertThat(descriptors(RecordedCgroups.v1(folder.resolve("1"))).keySet())
                .noneMatch(it -> it.contains("pressure"));
        assertThat(value(v2, "container_pressure_cpu_waiting_seconds_total")).isEqualTo(5);
        assertThat(value(v2, "container_pressure_cpu_stalled_seconds_total")).isEqualTo(2);
        assertThat(value(v2, "container_pressure_memory_waiting_seconds_total")).isEqualTo(1);
        assertThat(value(v2, "container_pressure_memory_stalled_seconds_total")).isZero();
        assertThat(value(v2, "container_pressure_io_waiting_seconds_total")).isEqualTo(4);
        assertThat(value(v2, "container_pressure_io_stalled_seconds_total")).isEqualTo(3);
    }
}
