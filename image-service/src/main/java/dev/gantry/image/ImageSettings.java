package dev.gantry.image;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/// The part of the configuration that concerns images.
///
/// @param registryConfig folders `certs.d`; the first that knows a registry counts
/// @param maxDownloads blobs fetched at the same time, by all pulls together
/// @param maxUnpacks layers unpacked at the same time, by all pulls together
/// @param progressTimeout how long a registry may send nothing before a pull fails
/// @param limits for one layer
public record ImageSettings(
        List<Path> registryConfig, int maxDownloads, int maxUnpacks, Duration progressTimeout, UnpackLimits limits) {

    public static final ImageSettings DEFAULT = new ImageSettings(
            List.of(Path.of("/etc/gantry/certs.d")), 6, 2, Duration.ofMinutes(5), UnpackLimits.DEFAULT);

    public ImageSettings {
        registryConfig = List.copyOf(registryConfig);
        if (maxDownloads < 1 || maxUnpacks < 1) {
            throw new IllegalArgumentException("at least one download and one unpack must be possible");
        }
        if (progressTimeout.isNegative() || progressTimeout.isZero()) {
            throw new IllegalArgumentException("the progress timeout must be positive");
        }
    }
}
