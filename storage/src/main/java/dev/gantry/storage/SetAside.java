package dev.gantry.storage;

/// A row or a file that could not be used when the store was opened. It stays where it is until something writes
/// the same key or someone removes it.
///
/// @param where what it is, for example `kind/key` or a path
/// @param reason one line for the operator
public record SetAside(String where, String reason) {}
