package dev.gantry.shim;

import com.google.protobuf.Timestamp;
import java.time.Instant;

/// How a process ended.
///
/// @param status its exit code, or 128 and the number of the signal that killed it
/// @param at when it ended; the epoch where the shim does not know
public record Exit(int status, Instant at) {

    static Exit of(int status, Timestamp at) {
        return new Exit(status, Instant.ofEpochSecond(at.getSeconds(), at.getNanos()));
    }
}
