package dev.gantry.daemon;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tomlj.Toml;
import org.tomlj.TomlArray;
import org.tomlj.TomlParseResult;
import org.tomlj.TomlPosition;
import org.tomlj.TomlTable;

/// Reads TOML into [Setting]s. The only class that knows the parser, whose tables are costly to load:
/// a daemon without a configuration file never touches it.
final class TomlFile {

    private final String name;

    private TomlFile(String name) {
        this.name = name;
    }

    /// Throws [DaemonException.BadConfiguration] if the file cannot be read or is not TOML.
    static Setting.Table read(Path file) {
        try {
            String text = Files.readString(file);
            return text.isBlank() ? Setting.Table.EMPTY : parse(file.toString(), text);
        } catch (IOException e) {
            throw new DaemonException.BadConfiguration("cannot read configuration " + file + ": " + reason(e), e);
        }
    }

    /// Parses a text; the name stands for it in messages.
    static Setting.Table parse(String name, String text) {
        TomlParseResult result = Toml.parse(text);
        if (result.hasErrors()) {
            List<String> problems = result.errors().stream()
                    .map(error -> name + at(error.position()) + ": " + error.getMessage())
                    .toList();
            throw new DaemonException.BadConfiguration(problems);
        }
        return new TomlFile(name).table(result, name);
    }

    private Setting.Table table(TomlTable table, String origin) {
        Map<String, Setting> entries = new LinkedHashMap<>();
        for (String key : table.keySet()) {
            List<String> path = List.of(key);
            entries.put(key, setting(table.get(path), name + at(table.inputPositionOf(path))));
        }
        return new Setting.Table(entries, origin);
    }

    private Setting setting(@Nullable Object value, String origin) {
        return switch (value) {
            case TomlTable table -> table(table, origin);
            case TomlArray array -> items(array, origin);
            case null -> throw new IllegalStateException("no value at " + origin);
            default -> new Setting.Scalar(value, origin);
        };
    }

    private Setting.Items items(TomlArray array, String origin) {
        List<Setting> items = new ArrayList<>();
        for (int i = 0; i < array.size(); i++) {
            items.add(setting(array.get(i), name + at(array.inputPositionOf(i))));
        }
        return new Setting.Items(items, origin);
    }

    private static String at(@Nullable TomlPosition position) {
        return position == null ? "" : ":" + position.line() + ":" + position.column();
    }

    private static String reason(IOException e) {
        return e instanceof NoSuchFileException ? "no such file" : String.valueOf(e.getMessage());
    }
}
