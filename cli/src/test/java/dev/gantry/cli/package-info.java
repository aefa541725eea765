/// Tests of the command gantry, against a node that exists in memory only.
@NullMarked
package dev.gantry.cli;

import org.jspecify.annotations.NullMarked;
