package dev.gantry.runtime;

import java.nio.file.Path;

/// A folder that an image declares to hold data (`VOLUME` of its Dockerfile), kept with the container.
record ImageVolume(ContainerPath path, Path directory) {}
