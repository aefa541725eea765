package dev.gantry.shim;

import java.util.Optional;

/// Takes what shims report by themselves. All calls come on one thread, in the order of arrival.
///
/// Events are hints: they may come late, twice, for what is long gone, or be lost while the daemon is away.
/// The truth is what [Shim#state] and [Shim#wait] say. A call that takes long delays the events of all shims.
public interface TaskEvents {

    /// A process has ended.
    ///
    /// @param exec empty for the container's first process
    void exited(String container, Optional<String> exec, int pid, Exit exit);

    /// The kernel killed something in the container because its memory limit was reached.
    void oom(String container);
}
