/// The documents of the Open Container Initiative: images, and what a runtime is told to run.
///
/// Reading goes over a small tree of plain values, writing is streamed; neither uses reflection, since the
/// daemon writes a runtime configuration at every container start.
@NullMarked
package dev.gantry.cri.oci;

import org.jspecify.annotations.NullMarked;
