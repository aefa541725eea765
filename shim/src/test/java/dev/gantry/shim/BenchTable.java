package dev.gantry.shim;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Medians of what was measured, a row for each thing and a column for each program, and the first column's ratio to
/// each of the others.
final class BenchTable {

    private final String title;
    private final List<String> columns;
    private final Map<String, Map<String, List<Double>>> rows = new LinkedHashMap<>();

    BenchTable(String title, String... columns) {
        this.title = title;
        this.columns = List.of(columns);
    }

    void add(String row, String column, double value) {
        if (!columns.contains(column)) {
            throw new IllegalArgumentException("no column is called " + column);
        }
        rows.computeIfAbsent(row, _ -> new LinkedHashMap<>())
                .computeIfAbsent(column, _ -> new ArrayList<>())
                .add(value);
    }

    static double median(List<Double> values) {
        List<Double> sorted = values.stream().sorted().toList();
        int middle = sorted.size() / 2;
        return sorted.size() % 2 == 1 ? sorted.get(middle) : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("%-34s".formatted(title));
        columns.forEach(column -> text.append(" %12.12s".formatted(column)));
        columns.stream().skip(1).forEach(column -> text.append(" %14.14s".formatted("by " + column)));
        rows.forEach((row, values) -> {
            text.append("\n%-34s".formatted(row));
            columns.forEach(column -> text.append(" %12s".formatted(number(values.get(column)))));
            columns.stream()
                    .skip(1)
                    .forEach(column ->
                            text.append(" %14s".formatted(ratio(values.get(columns.getFirst()), values.get(column)))));
        });
        return text.append("\n").toString();
    }

    private static String number(@Nullable List<Double> values) {
        return values == null ? "-" : String.format(Locale.ROOT, "%.2f", median(values));
    }

    private static String ratio(@Nullable List<Double> first, @Nullable List<Double> other) {
        return first == null || other == null ? "-" : String.format(Locale.ROOT, "%.2f", median(first) / median(other));
    }
}
