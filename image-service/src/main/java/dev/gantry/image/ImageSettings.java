package dev.gantry.image;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// The part of the configuration that concerns images.
///
/// @param registryConfig folders `certs.d`; the first that knows a registry counts
/// @param maxDownloads blobs fetched at the same time, by all pulls together
/// @param maxUnpacks layers unpacked at the same time, by all pulls together
/// @param progressTimeout how long a registry may send nothing before a pull fails
/// @param limits for one layer
/// @param verifiers who decides whether an image may be pulled
public record ImageSettings(
        List<Path> registryConfig,
        int maxDownloads,
        int maxUnpacks,
        Duration progressTimeout,
        UnpackLimits limits,
        Verifiers verifiers) {

    public static final ImageSettings DEFAULT = new ImageSettings(
            List.of(Path.of("/etc/gantry/certs.d")), 6, 2, Duration.ofMinutes(5), UnpackLimits.DEFAULT, Verifiers.NONE);

    /// The programs that are asked for each image that is pulled.
    ///
    /// @param directory where they lie; empty where all images are accepted unasked
    /// @param most how many there may be
    /// @param timeout for each of them
    public record Verifiers(Optional<Path> directory, int most, Duration timeout) {

        public static final Verifiers NONE = new Verifiers(Optional.empty(), 10, Duration.ofSeconds(10));

        public Verifiers {
            if (most < 1) {
                throw new IllegalArgumentException("at least one verifier must be possible");
            }
            if (timeout.isNegative() || timeout.isZero()) {
                throw new IllegalArgumentException("the timeout of a verifier must be positive");
            }
        }
    }

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
