package dev.gantry.cni;

import dev.gantry.linux.AtomicFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Writes the node's network configuration from a template once its range of addresses is known.
///
/// Nodes whose network is set up by an agent have no template: that agent writes the configuration, and a range is only
/// taken note of. Nor is a configuration replaced that somebody else put into the folder.
public final class NetworkGenerator {

    private static final Logger log = LoggerFactory.getLogger(NetworkGenerator.class);

    /// What it writes; a later range replaces it.
    static final String FILE = "10-gantry.conflist";

    private final NetworkConfigs configs;
    private final Optional<Path> template;

    public NetworkGenerator(NetworkConfigs configs, Optional<Path> template) {
        this.configs = configs;
        this.template = template;
    }

    /// Makes the configuration for these ranges; it is on the disk and in use when this returns.
    ///
    /// @throws CniException.MalformedConfig when the template yields no configuration; nothing is written then
    public void generate(PodRanges ranges) {
        Path source = template.orElse(null);
        if (source == null) {
            log.atDebug().addKeyValue("ranges", ranges.cidrs()).log("no template for a network configuration");
            return;
        }
        Path target = configs.folder().resolve(FILE);
        if (!Files.exists(target) && configs.current().config().isPresent()) {
            log.atInfo()
                    .addKeyValue("ranges", ranges.cidrs())
                    .log("the node has a network configuration already; none is made from the template");
            return;
        }
        byte[] configuration = fill(source, ranges);
        try {
            Files.createDirectories(configs.folder());
            if (isContent(target, configuration)) {
                return;
            }
        } catch (IOException e) {
            throw new CniException.NotConfigured("cannot write " + target + ": " + e);
        }
        AtomicFile.write(target, configuration, 0644);
        log.atInfo()
                .addKeyValue("ranges", ranges.cidrs())
                .addKeyValue("file", target)
                .log("network configuration made from its template");
    }

    private static byte[] fill(Path source, PodRanges ranges) {
        try {
            byte[] configuration =
                    NetworkTemplate.parse(Files.readString(source)).fill(ranges).getBytes(StandardCharsets.UTF_8);
            if (NetworkConfig.ofList(JsonObject.parse(configuration)).plugins().isEmpty()) {
                throw new JsonObject.WrongType("it has no 'plugins'");
            }
            return configuration;
        } catch (JsonObject.WrongType | IOException e) {
            throw new CniException.MalformedConfig("of template " + source, String.valueOf(e.getMessage()));
        }
    }

    private static boolean isContent(Path file, byte[] content) throws IOException {
        try {
            return Arrays.equals(Files.readAllBytes(file), content);
        } catch (NoSuchFileException _) {
            return false;
        }
    }
}
