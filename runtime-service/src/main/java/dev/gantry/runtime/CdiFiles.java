package dev.gantry.runtime;

import dev.gantry.cri.oci.CdiSpec;
import dev.gantry.cri.oci.Json;
import dev.gantry.cri.oci.MalformedDocumentException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// The device specifications of the node: what drivers wrote into the CDI directories.
///
/// They are read anew for each container that wants a device, as drivers come and go; most containers want none. A file
/// that cannot be used is told of only where a device is missing, which may be in it.
final class CdiFiles {

    private static final int MAX_FILES = 1000;
    private static final int MAX_FILE = 4 << 20;

    private final List<Path> directories;

    /// @param directories in ascending order of precedence: a later one's devices replace an earlier one's
    CdiFiles(List<Path> directories) {
        this.directories = List.copyOf(directories);
    }

    /// A specification, where it lies, and how much it counts.
    record Found(Path file, int precedence, CdiSpec spec) {}

    /// @param problems what is wrong with the files that cannot be used
    record Content(List<Found> specs, List<String> problems) {}

    List<Path> directories() {
        return directories;
    }

    Content read() {
        List<Found> specs = new ArrayList<>();
        List<String> problems = new ArrayList<>();
        for (int i = 0; i < directories.size(); i++) {
            for (Path file : files(directories.get(i), problems)) {
                try {
                    specs.add(new Found(file, i, parse(file)));
                } catch (MalformedDocumentException e) {
                    problems.add(String.valueOf(e.getMessage()));
                } catch (IOException e) {
                    problems.add("cannot read " + file + ": " + e.getMessage());
                }
            }
        }
        return new Content(specs, problems);
    }

    private static List<Path> files(Path directory, List<String> problems) {
        List<Path> files = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory, "*.{json,yaml}")) {
            for (Path entry : entries) {
                if (files.size() == MAX_FILES) {
                    problems.add(
                            "%s has more than %d files, of which the rest is not read".formatted(directory, MAX_FILES));
                    break;
                }
                files.add(entry);
            }
        } catch (NoSuchFileException | NotDirectoryException _) {
            return List.of(); // no driver has written anything
        } catch (IOException e) {
            problems.add("cannot list " + directory + ": " + e.getMessage());
        }
        return files.stream().sorted().toList();
    }

    private static CdiSpec parse(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new IOException("it is no regular file");
        }
        String name = "CDI specification " + file;
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(MAX_FILE + 1);
            if (bytes.length > MAX_FILE) {
                throw new IOException("it has more than %d bytes".formatted(MAX_FILE));
            }
            boolean yaml = file.toString().toLowerCase(Locale.ROOT).endsWith(".yaml");
            return CdiSpec.read(yaml ? Yaml.parse(bytes, name) : Json.parse(bytes, name), name);
        }
    }
}
