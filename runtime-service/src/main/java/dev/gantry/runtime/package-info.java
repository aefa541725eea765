/// Containers and the CRI RuntimeService.
@NullMarked
package dev.gantry.runtime;

import org.jspecify.annotations.NullMarked;
