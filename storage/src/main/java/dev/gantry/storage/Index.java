package dev.gantry.storage;

import java.util.List;
import java.util.function.Function;

/// A second way to find the objects of a kind, for example by name.
///
/// The keys are unique within the kind: a change that would give one key to two objects is refused whole with
/// [StorageException.AlreadyExists]. `keys` is called under the writer's lock and must be a pure function of the
/// object; an object may have no key or several.
public record Index<T>(String name, Function<T, List<String>> keys) {}
