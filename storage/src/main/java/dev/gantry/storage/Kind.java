package dev.gantry.storage;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;

/// One sort of object in the [MetadataStore]: its name, its key, how it is written down and by what else it is
/// found.
///
/// A module makes its kinds once, as constants, and the daemon registers them all when it opens the store. The name
/// is part of what is on disk and never changes. The objects are shared by all readers and therefore must be
/// immutable.
public record Kind<T>(String name, Function<T, String> key, Codec<T> codec, List<Index<T>> indexes) {

    private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9.-]{0,62}");

    public Kind {
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException("not a name for a kind: " + name);
        }
        indexes = List.copyOf(indexes);
        Set<String> names = new HashSet<>();
        for (Index<T> index : indexes) {
            if (!names.add(index.name())) {
                throw new IllegalArgumentException("kind %s has two indexes %s".formatted(name, index.name()));
            }
        }
    }

    /// A kind that is found by its key alone.
    public Kind(String name, Function<T, String> key, Codec<T> codec) {
        this(name, key, codec, List.of());
    }
}
