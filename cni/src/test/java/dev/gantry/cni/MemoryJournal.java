package dev.gantry.cni;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/// A journal that forgets with the test.
final class MemoryJournal implements NetworkJournal {

    private final Map<String, SavedAttachment> saved = new ConcurrentHashMap<>();

    @Override
    public void save(SavedAttachment attachment) {
        saved.put(attachment.containerId(), attachment);
    }

    @Override
    public void forget(String containerId) {
        saved.remove(containerId);
    }

    @Override
    public Optional<SavedAttachment> find(String containerId) {
        return Optional.ofNullable(saved.get(containerId));
    }

    @Override
    public Collection<SavedAttachment> all() {
        return List.copyOf(saved.values());
    }
}
