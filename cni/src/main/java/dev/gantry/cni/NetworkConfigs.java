package dev.gantry.cni;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The network configurations of a folder: of the files `*.conf`, `*.conflist` and `*.json`, by name, the
/// first that can be used is the node's network.
///
/// Each use compares the files' identities with those loaded last, a few system calls, and reads anew
/// when one differs. So no change is missed or seen late, the folder may come and go, and no thread waits.
public final class NetworkConfigs {

    private static final Logger log = LoggerFactory.getLogger(NetworkConfigs.class);
    private static final long MAX_SIZE = 1 << 20;

    private final Path folder;
    private final ReentrantLock lock = new ReentrantLock();
    // Both guarded by the lock.
    private List<Stamp> stamps = List.of();
    private Loaded loaded;

    /// @param config the network to use
    /// @param problems of files that come before it and cannot be used, one sentence each
    record Loaded(Optional<NetworkConfig> config, List<String> problems) {

        NetworkConfig required(Path folder) {
            return config.orElseThrow(() -> new CniException.NotConfigured(explain(folder)));
        }

        String explain(Path folder) {
            String none = "no network configuration in " + folder;
            return problems.isEmpty() ? none : none + " can be used: " + String.join("; ", problems);
        }
    }

    private record Stamp(Path file, long size, long modified, Object key) {}

    public NetworkConfigs(Path folder) {
        this.folder = folder;
        this.loaded = new Loaded(Optional.empty(), List.of());
    }

    Path folder() {
        return folder;
    }

    Loaded current() {
        lock.lock();
        try {
            List<Stamp> now = stamps();
            if (!now.equals(stamps)) {
                loaded = load();
                // The stamps from before the reading: what changes during it is read again.
                stamps = now;
                loaded.problems().forEach(problem -> log.atWarn().log(problem));
                loaded.config()
                        .ifPresent(config -> log.atInfo()
                                .addKeyValue("network", config.name())
                                .addKeyValue("version", config.version())
                                .log("network configuration loaded"));
            }
            return loaded;
        } finally {
            lock.unlock();
        }
    }

    private Loaded load() {
        List<String> problems = new ArrayList<>();
        for (Path file : files(folder, ".conf", ".conflist", ".json")) {
            try {
                return new Loaded(Optional.of(read(file)), problems);
            } catch (JsonObject.WrongType | IOException e) {
                problems.add("%s: %s".formatted(file, e.getMessage()));
            }
        }
        return new Loaded(Optional.empty(), problems);
    }

    private NetworkConfig read(Path file) throws IOException {
        JsonObject json = parse(file);
        if (!file.toString().endsWith(".conflist")) {
            // As go-cni and ocicni do: `.json` holds one plugin, like `.conf`.
            return NetworkConfig.ofPlugin(json);
        }
        NetworkConfig config = NetworkConfig.ofList(json);
        if (!config.loadOnlyInlinedPlugins()) {
            List<PluginConfig> more = new ArrayList<>();
            for (Path plugin : files(folder.resolve(config.name()), ".conf")) {
                more.add(PluginConfig.of(parse(plugin)));
            }
            config = config.with(more);
        }
        if (config.plugins().isEmpty()) {
            throw new JsonObject.WrongType("it has no 'plugins'");
        }
        return config;
    }

    private static JsonObject parse(Path file) throws IOException {
        if (Files.size(file) > MAX_SIZE) {
            throw new JsonObject.WrongType("it is larger than " + MAX_SIZE + " bytes");
        }
        return JsonObject.parse(Files.readAllBytes(file));
    }

    /// The files that could matter: those of the folder, and those of the folder that a list may name.
    private List<Stamp> stamps() {
        List<Stamp> now = new ArrayList<>();
        stamp(files(folder, ".conf", ".conflist", ".json"), now);
        loaded.config()
                .filter(config -> !config.loadOnlyInlinedPlugins())
                .ifPresent(config -> stamp(files(folder.resolve(config.name()), ".conf"), now));
        return now;
    }

    private static void stamp(List<Path> files, List<Stamp> into) {
        for (Path file : files) {
            try {
                BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
                into.add(new Stamp(
                        file,
                        attributes.size(),
                        attributes.lastModifiedTime().to(TimeUnit.NANOSECONDS),
                        Objects.requireNonNullElse(attributes.fileKey(), "")));
            } catch (IOException e) {
                // Gone since it was listed, or a link to nowhere: the reading will say so.
                into.add(new Stamp(file, -1, -1, ""));
            }
        }
    }

    private static List<Path> files(Path folder, String... endings) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> Stream.of(endings).anyMatch(file.toString()::endsWith))
                    .sorted()
                    .toList();
        } catch (NoSuchFileException | NotDirectoryException e) {
            return List.of();
        } catch (IOException e) {
            throw new CniException.NotConfigured("cannot list " + folder + ": " + e);
        }
    }
}
