/// The shim protocol from the daemon's side: ttrpc, the life of a shim, tasks and their events.
@NullMarked
package dev.gantry.shim;

import org.jspecify.annotations.NullMarked;
