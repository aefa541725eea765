package dev.gantry.image;

import java.nio.file.Path;
import java.time.Instant;

/// What a snapshotter's files take on the disk, as of a moment: layers of images apart from what containers wrote.
///
/// @param mountpoint a directory on the file system in question
public record FsUsage(
        Path mountpoint, long imageBytes, long imageInodes, long containerBytes, long containerInodes, Instant at) {}
