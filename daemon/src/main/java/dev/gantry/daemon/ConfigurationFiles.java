package dev.gantry.daemon;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/// The files of which a configuration is made, later ones overriding earlier ones: the main file,
/// then `conf.d/*.toml` beside it in the order of their names.
record ConfigurationFiles(List<Path> files) {

    static final Path DEFAULT = Path.of("/etc/gantry/config.toml");

    ConfigurationFiles {
        files = List.copyOf(files);
    }

    /// A file that was named must exist; the default one need not.
    static ConfigurationFiles find(Optional<Path> named) {
        List<Path> files = new ArrayList<>();
        Path main = named.orElse(DEFAULT);
        if (named.isPresent() || Files.exists(main)) {
            files.add(main);
        }
        files.addAll(dropIns(main.resolveSibling("conf.d")));
        return new ConfigurationFiles(files);
    }

    Setting.Table read() {
        Setting.Table merged = Setting.Table.EMPTY;
        for (Path file : files) {
            merged = merged.overlaidWith(TomlFile.read(file));
        }
        return merged;
    }

    private static List<Path> dropIns(Path folder) {
        List<Path> files = new ArrayList<>();
        if (Files.isDirectory(folder)) {
            try (DirectoryStream<Path> found = Files.newDirectoryStream(folder, "*.toml")) {
                found.forEach(files::add);
            } catch (IOException e) {
                throw new DaemonException.BadConfiguration("cannot read configuration folder " + folder, e);
            }
        }
        Collections.sort(files);
        return files;
    }
}
