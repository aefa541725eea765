package dev.gantry.runtime;

import dev.gantry.cri.runtime.v1.MetricType;
import dev.gantry.linux.BlockDevices;
import dev.gantry.linux.Cgroups;
import dev.gantry.linux.KernelText;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;

/// Metrics of what a group reads from and writes to disks.
final class DiskMetrics {

    /// What version 2 calls the operations, by their names of version 1.
    private static final Map<String, String> BYTES_V2 =
            Map.of("Read", "rbytes", "Write", "wbytes", "Discard", "dbytes");

    private static final Map<String, String> REQUESTS_V2 = Map.of("Read", "rios", "Write", "wios", "Discard", "dios");

    private static final long SECTOR_BYTES = 512;
    private static final long MICROS = 1_000_000;

    private DiskMetrics() {}

    /// How much a device has done of what was asked for.
    private record Amount(String device, long amount) {}

    static Stream<MetricFamily> of(Cgroups cgroups) {
        return cgroups.isV2() ? Stream.concat(transfers(), costs()) : transfers();
    }

    private static Stream<MetricFamily> transfers() {
        return Stream.of(
                family("container_fs_reads_bytes_total", "Bytes read from disks.", it -> bytes(it, "Read")),
                family("container_fs_reads_total", "Reads from disks.", it -> requests(it, "Read")),
                family("container_fs_sector_reads_total", "Sectors read from disks.", it -> sectors(it, "Read")),
                family("container_fs_writes_bytes_total", "Bytes written to disks.", it -> bytes(it, "Write")),
                family("container_fs_writes_total", "Writes to disks.", it -> requests(it, "Write")),
                family("container_fs_sector_writes_total", "Sectors written to disks.", it -> sectors(it, "Write")),
                new MetricFamily(
                        "container_blkio_device_usage_total",
                        "Bytes that a disk transferred.",
                        MetricType.COUNTER,
                        List.of("device", "major", "minor", "operation"),
                        DiskMetrics::usage));
    }

    /// Of the io.cost controller of version 2, for disks that it is switched on for.
    private static Stream<MetricFamily> costs() {
        return Stream.of(
                cost("usage", "Time that disks were used by cost, in seconds."),
                cost("wait", "Time waited for a share of disks, in seconds."),
                cost("indebt", "Time in debt for input and output that could not wait, in seconds."),
                cost("indelay", "Time that tasks were delayed to pay that debt, in seconds."));
    }

    private static MetricFamily cost(String part, String help) {
        return family(
                "container_fs_io_cost_%s_seconds_total".formatted(part),
                help,
                source -> scaled(v2(source, "cost." + part), MICROS));
    }

    private static MetricFamily family(String name, String help, Function<MetricSource, List<Amount>> amounts) {
        return new MetricFamily(
                name,
                help,
                MetricType.COUNTER,
                List.of("device"),
                source -> amounts.apply(source).stream()
                        .map(it -> new MetricFamily.Value(it.amount(), List.of(BlockDevices.name(it.device()))))
                        .toList());
    }

    private static List<MetricFamily.Value> usage(MetricSource source) {
        List<MetricFamily.Value> values = new ArrayList<>();
        for (String operation : List.of("Read", "Write", "Discard")) {
            for (Amount it : bytes(source, operation)) {
                String[] numbers = it.device().split(":", 2);
                values.add(new MetricFamily.Value(
                        it.amount(), List.of(BlockDevices.name(it.device()), numbers[0], numbers[1], operation)));
            }
        }
        return values;
    }

    private static List<Amount> bytes(MetricSource source, String operation) {
        return source.isV2()
                ? v2(source, known(BYTES_V2, operation))
                : v1(source, operation, "blkio.throttle.io_service_bytes_recursive");
    }

    private static List<Amount> requests(MetricSource source, String operation) {
        return source.isV2()
                ? v2(source, known(REQUESTS_V2, operation))
                : v1(source, operation, "blkio.throttle.io_serviced_recursive");
    }

    /// The kernel's sectors have one size whatever those of the disk have.
    private static List<Amount> sectors(MetricSource source, String operation) {
        return scaled(bytes(source, operation), SECTOR_BYTES);
    }

    private static List<Amount> scaled(List<Amount> amounts, long unit) {
        return amounts.stream()
                .map(it -> new Amount(it.device(), it.amount() / unit))
                .toList();
    }

    private static String known(Map<String, String> names, String operation) {
        return Objects.requireNonNull(names.get(operation), operation);
    }

    /// Lines such as `254:0 Read 4096`, and a total.
    private static List<Amount> v1(MetricSource source, String operation, String file) {
        return lines(source.text("blkio", file).map(Object::toString))
                .map(line -> line.split(" ", -1))
                .filter(words -> words.length == 3 && words[1].equals(operation) && isDevice(words[0]))
                .map(words -> new Amount(words[0], number(words[2])))
                .toList();
    }

    /// Lines such as `254:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0`.
    private static List<Amount> v2(MetricSource source, String name) {
        String key = name + "=";
        return lines(source.text("io", "io.stat").map(Object::toString))
                .map(line -> line.split(" ", -1))
                .filter(words -> isDevice(words[0]))
                .flatMap(words -> Stream.of(words)
                        .filter(word -> word.startsWith(key))
                        .map(word -> new Amount(words[0], number(word.substring(key.length())))))
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
