/// Pod sandboxes: their names, network, pause container, files and states.
@NullMarked
package dev.gantry.sandbox;

import org.jspecify.annotations.NullMarked;
