package dev.gantry.runtime;

/// Where a container is in its life; each state is recorded before the action that it names begins.
///
/// `CREATING → CREATED → STARTING → RUNNING → EXITED → REMOVING`; a start that fails goes from `STARTING` to `EXITED`.
enum ContainerState {
    /// Its snapshot and bundle are being made. Not shown to clients; after a crash whatever exists is undone.
    CREATING,
    /// Ready to be started.
    CREATED,
    /// The OCI runtime is at work; after a crash the shim tells whether it came to run.
    STARTING,
    RUNNING,
    EXITED,
    /// Its files are being deleted. Not shown to clients; after a crash the deletion goes on.
    REMOVING;

    boolean isVisible() {
        return this != CREATING && this != REMOVING;
    }

    boolean mayRun() {
        return this == STARTING || this == RUNNING;
    }
}
