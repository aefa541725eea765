package dev.gantry.linux;

/// What differs between x86_64 and aarch64 besides the numbers of [SystemCall].
final class Architecture {

    static final boolean X86_64 = isX86();

    // The two differ in the flags of open(2): asm-generic against arm's own.
    static final int O_DIRECTORY = X86_64 ? 0x10000 : 0x4000;
    static final int O_NOFOLLOW = X86_64 ? 0x20000 : 0x8000;

    // struct epoll_event is packed on x86_64 only.
    static final int EPOLL_EVENT_SIZE = X86_64 ? 12 : 16;
    static final int EPOLL_EVENT_DATA = X86_64 ? 4 : 8;

    private Architecture() {}

    private static boolean isX86() {
        String name = System.getProperty("os.arch");
        return switch (name) {
            case "amd64", "x86_64" -> true;
            case "aarch64" -> false;
            default -> throw new IllegalStateException("unsupported architecture: " + name);
        };
    }
}
