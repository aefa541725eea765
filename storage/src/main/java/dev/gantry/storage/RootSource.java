package dev.gantry.storage;

import java.util.stream.Stream;

/// What a module's objects need: images their manifest and layers, containers their writable layer.
///
/// Called under the writer's lock: answers from the view alone, without waiting for anything. What no source names
/// and no lease holds is removed, writable layers of running containers included.
@FunctionalInterface
public interface RootSource {

    Stream<Ref> roots(View view);
}
