/// Images: references, registries, the pull pipeline, and the CRI ImageService.
@NullMarked
package dev.gantry.image;

import org.jspecify.annotations.NullMarked;
