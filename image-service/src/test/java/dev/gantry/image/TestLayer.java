package dev.gantry.image;

import com.github.luben.zstd.ZstdOutputStream;
import dev.gantry.cri.oci.Digest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;

/// Builds the archive of a layer, honest or not.
final class TestLayer {

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final TarArchiveOutputStream tar = new TarArchiveOutputStream(bytes, "UTF-8");

    TestLayer() {
        tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
        tar.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_POSIX);
        tar.setAddPaxHeadersForNonAsciiNames(true);
    }

    /// A layer ready to be pushed.
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Packed(byte[] blob, String mediaType, Digest diffId) {
        Digest digest() {
            return Digest.of(blob);
        }
    }

    TestLayer file(String name, String content) {
        return file(name, content.getBytes(StandardCharsets.UTF_8), 0644, 0, 0);
    }

    TestLayer file(String name, byte[] content, int mode, int uid, int gid) {
        TarArchiveEntry entry = entry(name, TarConstants.LF_NORMAL, mode);
        entry.setUserId(uid);
        entry.setGroupId(gid);
        entry.setSize(content.length);
        return add(entry, content);
    }

    TestLayer file(String name, String content, Map<String, String> pax) {
        TarArchiveEntry entry = entry(name, TarConstants.LF_NORMAL, 0644);
        byte[] data = content.getBytes(StandardCharsets.UTF_8);
        entry.setSize(data.length);
        pax.forEach(entry::addPaxHeader);
        return add(entry, data);
    }

    TestLayer directory(String name, int mode) {
        return add(entry(name, TarConstants.LF_DIR, mode), new byte[0]);
    }

    TestLayer directory(String name, int mode, int uid, int gid) {
        TarArchiveEntry entry = entry(name, TarConstants.LF_DIR, mode);
        entry.setUserId(uid);
        entry.setGroupId(gid);
        return add(entry, new byte[0]);
    }

    TestLayer symlink(String name, String target) {
        TarArchiveEntry entry = entry(name, TarConstants.LF_SYMLINK, 0777);
        entry.setLinkName(target);
        return add(entry, new byte[0]);
    }

    TestLayer hardLink(String name, String target) {
        TarArchiveEntry entry = entry(name, TarConstants.LF_LINK, 0644);
        entry.setLinkName(target);
        return add(entry, new byte[0]);
    }

    TestLayer device(String name, boolean block, int major, int minor) {
        TarArchiveEntry entry = entry(name, block ? TarConstants.LF_BLK : TarConstants.LF_CHR, 0600);
        entry.setDevMajor(major);
        entry.setDevMinor(minor);
        return add(entry, new byte[0]);
    }

    TestLayer fifo(String name) {
        return add(entry(name, TarConstants.LF_FIFO, 0622), new byte[0]);
    }

    TestLayer whiteout(String parent, String name) {
        return file((parent.isEmpty() ? "" : parent + "/") + ".wh." + name, "");
    }

    TestLayer opaque(String directory) {
        return file(directory + "/.wh..wh..opq", "");
    }

    private static TarArchiveEntry entry(String name, byte type, int mode) {
        TarArchiveEntry entry = new TarArchiveEntry(name, type, true);
        entry.setMode(mode);
        entry.setModTime(1_700_000_000_000L);
        return entry;
    }

    TestLayer add(TarArchiveEntry entry, byte[] content) {
        try {
            tar.putArchiveEntry(entry);
            tar.write(content);
            tar.closeArchiveEntry();
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    byte[] tar() {
        try {
            tar.finish();
            return bytes.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Packed gzip() {
        byte[] archive = tar();
        return new Packed(gzip(archive), "application/vnd.oci.image.layer.v1.tar+gzip", Digest.of(archive));
    }

    Packed zstd() {
        byte[] archive = tar();
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (ZstdOutputStream out = new ZstdOutputStream(packed)) {
            out.write(archive);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new Packed(packed.toByteArray(), "application/vnd.oci.image.layer.v1.tar+zstd", Digest.of(archive));
    }

    Packed plain() {
        byte[] archive = tar();
        return new Packed(archive, "application/vnd.oci.image.layer.v1.tar", Digest.of(archive));
    }

    static byte[] gzip(byte[] archive) {
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(packed)) {
            out.write(archive);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return packed.toByteArray();
    }
}
