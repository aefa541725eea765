package dev.gantry.image;

/// How much one layer may be, so that a small download cannot fill a disk unseen or use up its inodes.
///
/// @param bytes of the archive, unpacked
/// @param entries files, directories and links
public record UnpackLimits(long bytes, long entries) {

    public static final UnpackLimits DEFAULT = new UnpackLimits(256L << 30, 5_000_000);
}
