package dev.gantry.shim;

import dev.gantry.cri.containerd.v1.types.Status;

/// What a process in a shim does at present.
public enum TaskStatus {
    UNKNOWN,
    CREATED,
    RUNNING,
    STOPPED,
    PAUSED,
    PAUSING;

    static TaskStatus of(Status status) {
        return switch (status) {
            case CREATED -> CREATED;
            case RUNNING -> RUNNING;
            case STOPPED -> STOPPED;
            case PAUSED -> PAUSED;
            case PAUSING -> PAUSING;
            case UNKNOWN, UNRECOGNIZED -> UNKNOWN;
        };
    }
}
