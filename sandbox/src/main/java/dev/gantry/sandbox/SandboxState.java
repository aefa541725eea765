package dev.gantry.sandbox;

/// Where a sandbox is in its life; each state is on disk before the action that it names begins.
///
/// `CREATING → READY → STOPPING → STOPPED → REMOVING`, and from `CREATING` straight to `STOPPED` when neither the
/// creation nor its undoing succeeded: what is left stays visible and removable.
public enum SandboxState {
    /// Its parts are being made. Not shown to clients; after a crash whatever exists is undone.
    CREATING,
    /// The pause container runs.
    READY,
    /// Its processes and network are being taken down.
    STOPPING,
    /// Nothing of it runs; its files and its name are still there.
    STOPPED,
    /// Its files are being deleted. Not shown to clients; after a crash the deletion goes on.
    REMOVING;

    /// Whether clients see a sandbox in this state.
    public boolean isVisible() {
        return this == READY || this == STOPPING || this == STOPPED;
    }
}
