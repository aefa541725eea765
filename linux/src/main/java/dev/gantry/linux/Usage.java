package dev.gantry.linux;

/// What a tree takes on its file system.
///
/// @param bytes of blocks allocated, each file once however many names it has
/// @param inodes files, directories and everything else
public record Usage(long bytes, long inodes) {

    public static final Usage NONE = new Usage(0, 0);

    public Usage plus(Usage other) {
        return new Usage(bytes + other.bytes, inodes + other.inodes);
    }
}
