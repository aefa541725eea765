package dev.gantry.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A running SHA-256, by the processor's own instructions where the host's libcrypto offers them.
///
/// The JDK reaches those instructions only through its optimising compiler, which the daemon does
/// without: there MessageDigest manages 75 MB/s and libcrypto 1,700 MB/s (measured on one core with
/// SHA extensions, `-XX:TieredStopAtLevel=1`), and a pull hashes each byte twice. A host without
/// libcrypto gets MessageDigest, slower and just as right.
///
/// Not thread-safe. Holds no native memory, so there is nothing to close.
public final class Sha256 {

    /// One call into libcrypto holds up the garbage collector, so it is kept to some 40 microseconds.
    private static final int CHUNK = 64 * 1024;

    /// `SHA256_CTX` has 112 bytes in every version of libcrypto that has it.
    private static final int STATE_LONGS = 16;

    private static final int DIGEST_BYTES = 32;

    private final @Nullable Library library;
    private final @Nullable MessageDigest fallback;
    private final MemorySegment state = MemorySegment.ofArray(new long[STATE_LONGS]);

    private Sha256(@Nullable Library library) {
        this.library = library;
        this.fallback = library == null ? messageDigest() : null;
        reset();
    }

    /// A digest of nothing yet.
    public static Sha256 create() {
        return new Sha256(Library.FOUND.orElse(null));
    }

    /// As [#create], but always the JDK's own.
    static Sha256 ofTheJdk() {
        return new Sha256(null);
    }

    /// Whether the host's libcrypto is used.
    public static boolean isNative() {
        return Library.FOUND.isPresent();
    }

    /// The digest of all of `bytes`.
    public static byte[] of(byte[] bytes) {
        Sha256 sha = create();
        sha.update(bytes, 0, bytes.length);
        return sha.digest();
    }

    public void update(byte[] bytes, int offset, int length) {
        Objects.checkFromIndexSize(offset, length, bytes.length);
        if (fallback != null) {
            fallback.update(bytes, offset, length);
            return;
        }
        MemorySegment all = MemorySegment.ofArray(bytes);
        for (int done = 0; done < length; done += CHUNK) {
            int step = Math.min(CHUNK, length - done);
            library().update(state, all.asSlice((long) offset + done, step), step);
        }
    }

    /// Takes what is between position and limit, and moves the position to the limit.
    public void update(ByteBuffer bytes) {
        if (fallback != null) {
            fallback.update(bytes);
            return;
        }
        MemorySegment all = MemorySegment.ofBuffer(bytes);
        for (long done = 0; done < all.byteSize(); done += CHUNK) {
            long step = Math.min(CHUNK, all.byteSize() - done);
            library().update(state, all.asSlice(done, step), step);
        }
        bytes.position(bytes.limit());
    }

    /// The 32 bytes of the digest; afterwards this is a digest of nothing again.
    public byte[] digest() {
        if (fallback != null) {
            return fallback.digest();
        }
        byte[] digest = new byte[DIGEST_BYTES];
        library().finish(state, MemorySegment.ofArray(digest));
        reset();
        return digest;
    }

    private void reset() {
        if (library != null) {
            library.init(state);
        }
    }

    private Library library() {
        return Objects.requireNonNull(library);
    }

    private static MessageDigest messageDigest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }

    /// The three functions of libcrypto. They keep all state in what they are given, so a Java array serves.
    @SuppressWarnings("restricted")
    private record Library(MethodHandle init, MethodHandle update, MethodHandle finish) {

        static final Optional<Library> FOUND = List.of("libcrypto.so.3", "libcrypto.so.1.1").stream()
                .flatMap(name -> load(name).stream())
                .findFirst();

        private static Optional<Library> load(String name) {
            try {
                SymbolLookup symbols = SymbolLookup.libraryLookup(name, Arena.global());
                return Optional.of(new Library(
                        function(symbols, "SHA256_Init", ValueLayout.ADDRESS),
                        function(
                                symbols,
                                "SHA256_Update",
                                ValueLayout.ADDRESS,
                                ValueLayout.ADDRESS,
                                ValueLayout.JAVA_LONG),
                        function(symbols, "SHA256_Final", ValueLayout.ADDRESS, ValueLayout.ADDRESS)));
            } catch (IllegalArgumentException | NoSuchElementException _) {
                return Optional.empty(); // no such library, or built without these functions
            }
        }

        private static MethodHandle function(SymbolLookup symbols, String name, MemoryLayout... arguments) {
            return Linker.nativeLinker()
                    .downcallHandle(
                            symbols.findOrThrow(name),
                            FunctionDescriptor.of(ValueLayout.JAVA_INT, arguments),
                            Linker.Option.critical(true));
        }

        void init(MemorySegment state) {
            try {
                check((int) init.invokeExact(state));
            } catch (Throwable e) {
                throw unexpected(e);
            }
        }

        void update(MemorySegment state, MemorySegment bytes, long length) {
            try {
                check((int) update.invokeExact(state, bytes, length));
            } catch (Throwable e) {
                throw unexpected(e);
            }
        }

        void finish(MemorySegment state, MemorySegment digest) {
            try {
                check((int) finish.invokeExact(digest, state));
            } catch (Throwable e) {
                throw unexpected(e);
            }
        }

        private static void check(int result) {
            if (result != 1) {
                throw new IllegalStateException("libcrypto refuses to compute sha256");
            }
        }

        private static RuntimeException unexpected(Throwable e) {
            return switch (e) {
                case Error error -> throw error;
                case RuntimeException known -> known;
                default -> new IllegalStateException("cannot call libcrypto", e);
            };
        }
    }
}
