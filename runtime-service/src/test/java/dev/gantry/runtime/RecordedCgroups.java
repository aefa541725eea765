package dev.gantry.runtime;

import dev.gantry.linux.Cgroups;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Trees of control groups with files as kernels write them, cut to what is read; the group is `/pod/c`.
final class RecordedCgroups {

    static final String PATH = "/pod/c";

    private RecordedCgroups() {}

    /// Of Linux 6.18 with a limit of 64 MiB of memory and one CPU for half the time.
    static Cgroups v1(Path folder) {
        Map<String, Path> controllers = new HashMap<>();
        List.of("cpu", "cpuacct", "memory", "pids", "blkio").forEach(it -> controllers.put(it, folder.resolve(it)));
        file(folder, "cpuacct", "cpuacct.usage", "2500000000\n");
        file(folder, "cpuacct", "cpuacct.usage_user", "1500000000\n");
        file(folder, "cpuacct", "cpuacct.usage_sys", "1000000000\n");
        file(folder, "cpu", "cpu.stat", """
            nr_periods 100
            nr_throttled 7
            throttled_time 3000000000
            nr_bursts 2
            burst_time 1000000000
            """);
        file(folder, "cpu", "cpu.cfs_quota_us", "50000\n");
        file(folder, "cpu", "cpu.cfs_period_us", "100000\n");
        file(folder, "cpu", "cpu.shares", "512\n");
        file(folder, "memory", "memory.usage_in_bytes", "12582912\n");
        file(folder, "memory", "memory.max_usage_in_bytes", "25165824\n");
        file(folder, "memory", "memory.limit_in_bytes", "67108864\n");
        file(folder, "memory", "memory.memsw.limit_in_bytes", "100663296\n");
        file(folder, "memory", "memory.soft_limit_in_bytes", "9223372036854771712\n");
        file(folder, "memory", "memory.kmem.usage_in_bytes", "524288\n");
        file(folder, "memory", "memory.failcnt", "3\n");
        file(folder, "memory", "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n");
        file(folder, "memory", "memory.stat", """
            cache 8388608
            rss 1048576
            pgfault 500
            pgmajfault 4
            inactive_file 1
            hierarchical_memory_limit 67108864
            total_cache 8388608
            total_rss 2097152
            total_mapped_file 4096
            total_swap 12288
            total_pgfault 600
            total_pgmajfault 5
            total_inactive_file 4194304
            total_active_file 131072
            """);
        file(folder, "pids", "pids.current", "9\n");
        file(folder, "pids", "pids.max", "max\n");
        file(folder, "pids", "cgroup.procs", "");
        file(folder, "blkio", "blkio.throttle.io_service_bytes_recursive", """
            7:3 Read 8192
            7:3 Write 4096
            7:3 Sync 12288
            7:3 Async 0
            7:3 Discard 0
            7:3 Total 12288
            Total 12288
            """);
        file(folder, "blkio", "blkio.throttle.io_serviced_recursive", """
            7:3 Read 2
            7:3 Write 1
            7:3 Total 3
            Total 3
            """);
        return Cgroups.at(Cgroups.Version.V1, controllers);
    }

    /// The same, of version 2.
    static Cgroups v2(Path folder) {
        Map<String, Path> controllers = new HashMap<>();
        List.of("cpu", "memory", "pids", "io").forEach(it -> controllers.put(it, folder));
        write(folder.resolve("cpu.pressure"), "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
        v2(folder, "cpu.stat", """
            usage_usec 2500000
            user_usec 1500000
            system_usec 1000000
            nr_periods 100
            nr_throttled 7
            throttled_usec 3000000
            nr_bursts 2
            burst_usec 1000000
            """);
        v2(folder, "cpu.max", "50000 100000\n");
        v2(folder, "cpu.weight", "20\n");
        v2(folder, "cpu.pressure", """
            some avg10=1.50 avg60=0.75 avg300=0.25 total=5000000
            full avg10=0.50 avg60=0.00 avg300=0.00 total=2000000
            """);
        v2(folder, "memory.pressure", """
            some avg10=0.00 avg60=0.00 avg300=0.00 total=1000000
            full avg10=0.00 avg60=0.00 avg300=0.00 total=900000
            """);
        v2(folder, "io.pressure", """
            some avg10=0.00 avg60=0.00 avg300=0.00 total=4000001
            full avg10=0.00 avg60=0.00 avg300=0.00 total=3000001
            """);
        v2(folder, "memory.current", "12582912\n");
        v2(folder, "memory.peak", "25165824\n");
        v2(folder, "memory.max", "67108864\n");
        v2(folder, "memory.low", "0\n");
        v2(folder, "memory.swap.current", "12288\n");
        v2(folder, "memory.swap.max", "33554432\n");
        v2(folder, "memory.events", "low 0\nhigh 0\nmax 3\noom 2\noom_kill 2\noom_group_kill 0\n");
        v2(folder, "memory.stat", """
            anon 2097152
            file 8388608
            kernel 524288
            file_mapped 4096
            inactive_anon 0
            inactive_file 4194304
            active_file 131072
            pgfault 600
            pgmajfault 5
            """);
        v2(folder, "pids.current", "9\n");
        v2(folder, "pids.max", "max\n");
        v2(folder, "cgroup.procs", "");
        v2(
                folder,
                "io.stat",
                "7:3 rbytes=8192 wbytes=4096 rios=2 wios=1 dbytes=0 dios=0"
                        + " cost.usage=2000000 cost.wait=3000000 cost.indebt=4000000 cost.indelay=5000000\n");
        return Cgroups.at(Cgroups.Version.V2, controllers);
    }

    private static void v2(Path folder, String name, String text) {
        write(folder.resolve(PATH.substring(1)).resolve(name), text);
    }

    private static void file(Path folder, String controller, String name, String text) {
        write(folder.resolve(controller).resolve(PATH.substring(1)).resolve(name), text);
    }

    private static void write(Path file, String text) {
        try {
            Files.createDirectories(file.getParent());
            Files.writeString(file, text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
