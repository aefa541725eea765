package dev.gantry.storage;

/// Turns the objects of one kind into the bytes that are stored, and back.
///
/// The bytes outlive the program that wrote them: a codec reads what all earlier versions wrote. `decode` may throw
/// anything unchecked; the row is then set aside (see [MetadataStore#setAside]) and the store opens without it.
public interface Codec<T> {

    byte[] encode(T value);

    T decode(byte[] bytes);
}
