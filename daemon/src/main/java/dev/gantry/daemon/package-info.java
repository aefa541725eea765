/// The daemon gantryd: configuration, wiring, recovery and the gRPC server.
@NullMarked
package dev.gantry.daemon;

import org.jspecify.annotations.NullMarked;
