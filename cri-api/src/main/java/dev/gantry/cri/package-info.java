/// The wire contracts: CRI, the shim protocol, the daemon's own calls, and the OCI documents.
@NullMarked
package dev.gantry.cri;

import org.jspecify.annotations.NullMarked;
