package dev.gantry.linux;

/// The kernel's refusal of a call. The message says what was attempted, on what, and the kernel's
/// reason: `cannot mount overlay on /x: ENOSPC (no space left on device)`.
public final class ErrnoException extends RuntimeException {

    private final int value;

    /// @param action what was attempted and on which object, such as `cannot open /x`
    /// @param value the positive error number
    public ErrnoException(String action, int value) {
        super(action + ": " + Errno.describe(value));
        this.value = value;
    }

    public ErrnoException(String action, Errno errno) {
        this(action, errno.value());
    }

    public Errno errno() {
        return Errno.of(value);
    }

    /// The number as the kernel gave it, also when [Errno] has no name for it.
    public int value() {
        return value;
    }

    /// Whether the reason is one of these.
    public boolean is(Errno... any) {
        for (Errno errno : any) {
            if (errno.value() == value) {
                return true;
            }
        }
        return false;
    }
}
