package dev.gantry.runtime;

import dev.gantry.cri.oci.ImageConfig;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;

/// What the spec of a container needs of its image.
///
/// @param name   what messages call it
/// @param key    the same for images with the same files
/// @param layers the directories with its files, the topmost first; asked for only when files are needed
record ImageContent(String name, ImageConfig.Execution config, String key, Supplier<List<Path>> layers) {}
