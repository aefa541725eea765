package dev.gantry.storage;

/// What a step of [MetadataStore#update] decided: the change to make, what to answer, and how durable it must be.
public record Update<R>(Change change, R result, Durability durability) {

    public static <R> Update<R> of(Change change, R result) {
        return new Update<>(change, result, Durability.SYNCED);
    }

    /// Nothing is to be changed.
    public static <R> Update<R> nothing(R result) {
        return new Update<>(Change.empty(), result, Durability.BUFFERED);
    }
}
