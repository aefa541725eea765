@NullMarked
package dev.gantry.cni;

import org.jspecify.annotations.NullMarked;
