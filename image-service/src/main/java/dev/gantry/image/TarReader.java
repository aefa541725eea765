package dev.gantry.image;

import java.io.IOException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Reads a tar archive (POSIX ustar with pax headers, and GNU's long names) member by member, in constant memory.
///
/// commons-compress is not used for this, because an archive may be hostile and the heap is small: it reads long names,
/// pax headers and sparse maps of any length into memory. Here a header has a limit, and sparse files, which only GNU
/// tar writes and image builders do not, are refused. It also hands out content without copying it.
final class TarReader {

    /// File names are bytes to the kernel and here: this carries any of them through unchanged.
    static final Charset NAMES = StandardCharsets.ISO_8859_1;

    private static final int BLOCK = 512;
    /// All pax headers and long names of one member. Linux allows 64 KiB for one extended attribute.
    private static final int METADATA_LIMIT = 1 << 20;

    private final ReadableByteChannel in;
    private final ByteBuffer buffer;
    private final byte[] block = new byte[BLOCK];
    private long content;
    private int padding;

    /// @param buffer a direct buffer of at least a block, for this reader alone while it is used
    TarReader(ReadableByteChannel in, ByteBuffer buffer) {
        this.in = in;
        this.buffer = buffer.clear().limit(0);
    }

    /// The next member, or null at the end of the archive. What is left of the content before it is skipped.
    ///
    /// @throws IOException if the archive is cut off, broken, or holds what is not supported
    @Nullable
    TarEntry next() throws IOException {
        Map<String, byte[]> pax = new HashMap<>();
        int metadata = 0;
        while (true) {
            skipContent();
            if (!readBlock() || isZero()) {
                return null;
            }
            verifyChecksum();
            long size = number(124, 12, "size");
            char type = (char) (block[156] & 0xff);
            if ("xgLK".indexOf(type) < 0) {
                return entry(type, size, pax);
            }
            metadata = Math.addExact(metadata, (int) Math.min(size, METADATA_LIMIT + 1));
            if (metadata > METADATA_LIMIT) {
                throw new IOException(
                        "more than %d bytes of names and attributes for one file".formatted(METADATA_LIMIT));
            }
            byte[] bytes = readContent((int) size);
            switch (type) {
                case 'x' -> parsePax(bytes, pax);
                case 'L' -> pax.putIfAbsent("path", untilZero(bytes, 0, bytes.length));
                case 'K' -> pax.putIfAbsent("linkpath", untilZero(bytes, 0, bytes.length));
                default -> {} // a global header: nothing in it concerns a layer
            }
        }
    }

    /// The next piece of the current member's content, valid until the next call; null when there is no more.
    @Nullable
    ByteBuffer content() throws IOException {
        if (content == 0) {
            return null;
        }
        if (!buffer.hasRemaining() && !fill()) {
            throw new IOException("the archive ends within a file");
        }
        int count = (int) Math.min(content, buffer.remaining());
        ByteBuffer piece = buffer.slice(buffer.position(), count);
        buffer.position(buffer.position() + count);
        content -= count;
        return piece;
    }

    /// Reads the rest, so that the digest covers all of it.
    void drain() throws IOException {
        do {
            buffer.position(buffer.limit());
        } while (fill());
    }

    private TarEntry entry(char flag, long headerSize, Map<String, byte[]> pax) throws IOException {
        long size = pax.containsKey("size") ? decimal(pax, "size") : headerSize;
        String name = pax.containsKey("path") ? text(pax.get("path")) : headerName();
        TarEntry.Type type = type(flag, name);
        boolean hasContent = type == TarEntry.Type.FILE;
        expectContent(hasContent || type == TarEntry.Type.HARD_LINK ? size : 0);
        String link = pax.containsKey("linkpath") ? text(pax.get("linkpath")) : text(untilZero(block, 157, 100));
        Instant modified = time(pax, "mtime", Instant.ofEpochSecond(clampSeconds(number(136, 12, "mtime"))));
        Map<String, byte[]> attributes = new HashMap<>();
        for (Map.Entry<String, byte[]> header : pax.entrySet()) {
            if (header.getKey().startsWith("SCHILY.xattr.")) {
                attributes.put(header.getKey().substring("SCHILY.xattr.".length()), header.getValue());
            } else if (header.getKey().startsWith("GNU.sparse.")) {
                throw new IOException("sparse file '%s' is not supported".formatted(name));
            }
        }
        boolean device = type == TarEntry.Type.CHARACTER_DEVICE || type == TarEntry.Type.BLOCK_DEVICE;
        return new TarEntry(
                type,
                name,
                link,
                (int) number(100, 8, "mode") & 07777,
                id(pax, "uid", 108, name),
                id(pax, "gid", 116, name),
                hasContent ? size : 0,
                time(pax, "atime", modified),
                modified,
                device ? Math.toIntExact(number(329, 8, "devmajor")) : 0,
                device ? Math.toIntExact(number(337, 8, "devminor")) : 0,
                attributes);
    }

    private static TarEntry.Type type(char flag, String name) throws IOException {
        return switch (flag) {
            // The oldest archives have no type for directories, only a slash.
            case '0', '\0', '7' -> name.endsWith("/") ? TarEntry.Type.DIRECTORY : TarEntry.Type.FILE;
            case '1' -> TarEntry.Type.HARD_LINK;
            case '2' -> TarEntry.Type.SYMLINK;
            case '3' -> TarEntry.Type.CHARACTER_DEVICE;
            case '4' -> TarEntry.Type.BLOCK_DEVICE;
            case '5' -> TarEntry.Type.DIRECTORY;
            case '6' -> TarEntry.Type.FIFO;
            case 'S' -> throw new IOException("sparse file '%s' is not supported".formatted(name));
            default -> throw new IOException("'%s' is of the unknown type '%c'".formatted(name, flag));
        };
    }

    private String headerName() throws IOException {
        String name = text(untilZero(block, 0, 100));
        boolean posix = block[257] == 'u' && block[258] == 's' && block[262] == 0;
        String prefix = posix ? text(untilZero(block, 345, 155)) : "";
        return prefix.isEmpty() ? name : prefix + "/" + name;
    }

    private int id(Map<String, byte[]> pax, String key, int offset, String name) throws IOException {
        long id = pax.containsKey(key) ? decimal(pax, key) : number(offset, 8, key);
        if (id > Integer.MAX_VALUE) {
            throw new IOException("%s %d of '%s' is out of range".formatted(key, id, name));
        }
        return (int) id;
    }

    private static Instant time(Map<String, byte[]> pax, String key, Instant otherwise) throws IOException {
        byte[] value = pax.get(key);
        if (value == null) {
            return otherwise;
        }
        try {
            var seconds = new BigDecimal(limited(value, 40));
            long whole = seconds.setScale(0, RoundingMode.FLOOR).longValue();
            long nanos = seconds.remainder(BigDecimal.ONE).movePointRight(9).longValue();
            return Instant.ofEpochSecond(clampSeconds(whole), nanos < 0 ? nanos + 1_000_000_000 : nanos);
        } catch (NumberFormatException | ArithmeticException e) {
            throw new IOException("%s is not a time".formatted(key), e);
        }
    }

    /// File systems cannot hold what is further away, and the archive would be valid with it.
    private static long clampSeconds(long seconds) {
        return Math.clamp(seconds, -0x8000_0000L, 0x3_7fff_ffffL);
    }

    private static long decimal(Map<String, byte[]> pax, String key) throws IOException {
        try {
            long value = Long.parseLong(limited(Objects.requireNonNull(pax.get(key)), 20));
            if (value >= 0) {
                return value;
            }
        } catch (NumberFormatException _) {
            // said below
        }
        throw new IOException("%s is not a number".formatted(key));
    }

    private static String limited(byte[] value, int limit) throws IOException {
        if (value.length > limit) {
            throw new IOException("a number of %d digits".formatted(value.length));
        }
        return new String(value, StandardCharsets.ISO_8859_1);
    }

    /// `length key=value\n`, again and again; the length counts the whole record. An empty value takes a key back.
    private static void parsePax(byte[] bytes, Map<String, byte[]> pax) throws IOException {
        int at = 0;
        while (at < bytes.length && bytes[at] != 0) {
            int digits = at;
            int length = 0;
            while (digits < bytes.length && bytes[digits] >= '0' && bytes[digits] <= '9' && digits - at < 8) {
                length = length * 10 + bytes[digits++] - '0';
            }
            int end = at + length;
            int equals = digits + 1;
            while (equals < Math.min(end, bytes.length) && bytes[equals] != '=') {
                equals++;
            }
            boolean whole = digits < bytes.length
                    && bytes[digits] == ' '
                    && equals < end
                    && end <= bytes.length
                    && bytes[end - 1] == '\n';
            if (!whole) {
                throw new IOException("a pax header is broken");
            }
            String key = new String(bytes, digits + 1, equals - digits - 1, StandardCharsets.UTF_8);
            byte[] value = Arrays.copyOfRange(bytes, equals + 1, end - 1);
            if (value.length == 0 && !key.startsWith("SCHILY.xattr.")) {
                pax.remove(key);
            } else {
                pax.put(key, value);
            }
            at = end;
        }
    }

    /// Octal digits, or, with the highest bit set, a big-endian number (GNU).
    private long number(int offset, int length, String field) throws IOException {
        if ((block[offset] & 0x80) != 0) {
            return binary(offset, length, field);
        }
        int at = offset;
        int end = offset + length;
        while (at < end && (block[at] == ' ' || block[at] == 0)) {
            at++;
        }
        long value = 0;
        while (at < end && block[at] >= '0' && block[at] <= '7') {
            value = value << 3 | (block[at++] - '0');
        }
        if (at < end && block[at] != ' ' && block[at] != 0) {
            throw new IOException("%s is not a number".formatted(field));
        }
        return value;
    }

    private long binary(int offset, int length, String field) throws IOException {
        boolean negative = (block[offset] & 0x40) != 0;
        long value = negative ? -1 : 0;
        for (int i = 0; i < length; i++) {
            int digit = block[offset + i] & 0xff;
            if (i == 0) {
                digit = negative ? digit : digit & 0x7f;
            }
            if (value != (value << 8 >> 8)) {
                throw new IOException("%s is out of range".formatted(field));
            }
            value = value << 8 | digit;
        }
        if (value < 0 && !field.equals("mtime")) {
            throw new IOException("%s is negative".formatted(field));
        }
        return value;
    }

    private void verifyChecksum() throws IOException {
        long sum = 0;
        for (int i = 0; i < BLOCK; i++) {
            sum += i >= 148 && i < 156 ? ' ' : block[i] & 0xff;
        }
        long claimed = -1;
        try {
            claimed = number(148, 8, "checksum");
        } catch (IOException _) {
            // as wrong as any other
        }
        if (sum != claimed) {
            throw new IOException("it is not a tar archive, or a broken one: a header has a wrong checksum");
        }
    }

    private boolean isZero() {
        for (byte b : block) {
            if (b != 0) {
                return false;
            }
        }
        return true;
    }

    private static byte[] untilZero(byte[] bytes, int offset, int length) {
        int end = offset;
        while (end < offset + length && bytes[end] != 0) {
            end++;
        }
        return Arrays.copyOfRange(bytes, offset, end);
    }

    private static String text(byte @Nullable [] bytes) throws IOException {
        String text = new String(Objects.requireNonNull(bytes), NAMES);
        if (text.indexOf('\0') >= 0) {
            throw new IOException("a file name with a zero byte");
        }
        return text;
    }

    private void expectContent(long size) {
        content = size;
        padding = (int) (-size & BLOCK - 1);
    }

    private byte[] readContent(int size) throws IOException {
        expectContent(size);
        byte[] bytes = new byte[size];
        int at = 0;
        for (ByteBuffer piece = content(); piece != null; piece = content()) {
            int count = piece.remaining();
            piece.get(bytes, at, count);
            at += count;
        }
        return bytes;
    }

    private void skipContent() throws IOException {
        content += padding;
        padding = 0;
        while (content() != null) {
            // only the position moves
        }
    }

    /// Reads a header block; false at the end of the stream, which is a proper end between two members.
    private boolean readBlock() throws IOException {
        int have = 0;
        while (have < BLOCK) {
            if (!buffer.hasRemaining() && !fill()) {
                if (have == 0) {
                    return false;
                }
                throw new IOException("the archive ends within a header");
            }
            int count = Math.min(BLOCK - have, buffer.remaining());
            buffer.get(block, have, count);
            have += count;
        }
        return true;
    }

    private boolean fill() throws IOException {
        buffer.clear();
        int count;
        do {
            count = in.read(buffer);
        } while (count == 0);
        buffer.flip();
        return count > 0;
    }
}
