package dev.gantry.cni;

import java.util.Collection;
import java.util.Optional;

/// Remembers attachments over crashes. There is at most one of a container.
public interface NetworkJournal {

    /// Adds or replaces. What is only intended is on the disk when it returns; a result may still be lost by a power
    /// cut.
    void save(SavedAttachment attachment);

    /// Removes it; absent is well.
    void forget(String containerId);

    Optional<SavedAttachment> find(String containerId);

    Collection<SavedAttachment> all();
}
