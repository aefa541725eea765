package dev.gantry.cli;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// A list for people (a table, widths as the cells need them) and for programs (JSON or YAML, an
/// array of objects). Both are given row by row, since a table shows less.
final class Listing {

    private final List<String> header;
    private final List<List<String>> rows = new ArrayList<>();
    private final List<Map<String, Object>> objects = new ArrayList<>();

    Listing(String... header) {
        this.header = List.of(header);
    }

    void add(List<String> cells, Map<String, Object> object) {
        if (cells.size() != header.size()) {
            throw new IllegalArgumentException("a row of " + cells.size() + " cells below " + header);
        }
        rows.add(cells.stream().map(Listing::printable).toList());
        objects.add(object);
    }

    void print(PrintStream out, OutputFormat format) {
        switch (format) {
            case TABLE -> table(out);
            case JSON -> out.print(Documents.json(objects));
            case YAML -> out.print(Documents.yaml(objects));
        }
    }

    private void table(PrintStream out) {
        int[] widths = new int[header.size()];
        measure(widths, header);
        rows.forEach(row -> measure(widths, row));
        line(out, widths, header);
        rows.forEach(row -> line(out, widths, row));
    }

    /// Names and labels come from pods and images: none of them may steer the terminal.
    private static String printable(String cell) {
        return cell.chars().anyMatch(Character::isISOControl) ? cell.replaceAll("\\p{Cntrl}", "?") : cell;
    }

    private static void measure(int[] widths, List<String> row) {
        for (int i = 0; i < widths.length; i++) {
            widths[i] = Math.max(widths[i], row.get(i).length());
        }
    }

    private static void line(PrintStream out, int[] widths, List<String> row) {
        var text = new StringBuilder();
        for (int i = 0; i < widths.length; i++) {
            text.append(row.get(i)).repeat(' ', widths[i] - row.get(i).length() + 3);
        }
        out.println(text.toString().stripTrailing());
    }
}
