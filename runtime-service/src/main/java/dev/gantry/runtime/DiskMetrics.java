package dev.gantry.runtime;

import dev.gantry.cri.runtime.v1.MetricType;
import dev.gantry.linux.BlockDevices;
import dev.gantry.linux.KernelText;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.stream.Stream;

/// Metrics of what a group reads from and writes to disks.
final class DiskMetrics {

    /// What version 2 calls the operations, by their names of version 1.
    private static final Map<String, String> BYTES_V2 =
            Map.of("Read", "rbytes", "Write", "wbytes", "Discard", "dbytes");

    private static final Map<String, String> REQUESTS_V2 = Map.of("Read", "rios", "Write", "wios", "Discard", "dios");

    private DiskMetrics() {}

    /// How much of an operation (`Read`, `Write`, `Discard`) a device has done.
    private record Transfer(String device, String operation, long amount) {}

    static Stream<MetricFamily> all() {
        return Stream.of(
                family("container_fs_reads_bytes_total", "Bytes read from disks.", DiskMetrics::bytes, "Read"),
                family("container_fs_reads_total", "Reads from disks.", DiskMetrics::requests, "Read"),
                family("container_fs_writes_bytes_total", "Bytes written to disks.", DiskMetrics::bytes, "Write"),
                family("container_fs_writes_total", "Writes to disks.", DiskMetrics::requests, "Write"),
                new MetricFamily(
                        "container_blkio_device_usage_total",
                        "Bytes that a disk transferred.",
                        MetricType.COUNTER,
                        List.of("device", "major", "minor", "operation"),
                        DiskMetrics::usage));
    }

    private static MetricFamily family(
            String name, String help, BiFunction<MetricSource, String, List<Transfer>> transfers, String operation) {
        return new MetricFamily(
                name,
                help,
                MetricType.COUNTER,
                List.of("device"),
                source -> transfers.apply(source, operation).stream()
                        .map(it -> new MetricFamily.Value(it.amount(), List.of(BlockDevices.name(it.device()))))
                        .toList());
    }

    private static List<MetricFamily.Value> usage(MetricSource source) {
        List<MetricFamily.Value> values = new ArrayList<>();
        for (String operation : List.of("Read", "Write", "Discard")) {
            for (Transfer it : bytes(source, operation)) {
                String[] numbers = it.device().split(":", 2);
                values.add(new MetricFamily.Value(
                        it.amount(), List.of(BlockDevices.name(it.device()), numbers[0], numbers[1], operation)));
            }
        }
        return values;
    }

    private static List<Transfer> bytes(MetricSource source, String operation) {
        return source.isV2()
                ? v2(source, operation, BYTES_V2)
                : v1(source, operation, "blkio.throttle.io_service_bytes_recursive");
    }

    private static List<Transfer> requests(MetricSource source, String operation) {
        return source.isV2()
                ? v2(source, operation, REQUESTS_V2)
                : v1(source, operation, "blkio.throttle.io_serviced_recursive");
    }

    /// Lines such as `254:0 Read 4096`, and a total.
    private static List<Transfer> v1(MetricSource source, String operation, String file) {
        return lines(source.text("blkio", file).map(Object::toString))
                .map(line -> line.split(" ", -1))
                .filter(words -> words.length == 3 && words[1].equals(operation) && isDevice(words[0]))
                .map(words -> new Transfer(words[0], operation, number(words[2])))
                .toList();
    }

    /// Lines such as `254:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0`.
    private static List<Transfer> v2(MetricSource source, String operation, Map<String, String> names) {
        String key = names.get(operation) + "=";
        return lines(source.text("io", "io.stat").map(Object::toString))
                .map(line -> line.split(" ", -1))
                .filter(words -> isDevice(words[0]))
                .flatMap(words -> Stream.of(words)
                        .filter(word -> word.startsWith(key))
                        .map(word -> new Transfer(words[0], operation, number(word.substring(key.length())))))
                .toList();
    }

    private static Stream<String> lines(Optional<String> text) {
        return text.stream().flatMap(String::lines);
    }

    private static boolean isDevice(String word) {
        return word.matches("[0-9]+:[0-9]+");
    }

    private static long number(String word) {
        return KernelText.of(word).number();
    }
}
