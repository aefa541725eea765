package dev.gantry.shim;

import java.util.Optional;

/// A process as its shim sees it.
///
/// @param pid of the process in the daemon's namespace; 0 where the shim does not know it any more
/// @param exit there if the status is [TaskStatus#STOPPED]
public record TaskState(TaskStatus status, int pid, Stdio stdio, Optional<Exit> exit) {}
