package dev.gantry.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.junit.jupiter.api.Test;

class TarReaderTest {

    private record Read(TarEntry entry, String content) {}

    private static List<Read> read(byte[] archive) throws IOException {
        TarReader reader =
                new TarReader(new StreamChannel(new ByteArrayInputStream(archive)), ByteBuffer.allocateDirect(1000));
        List<Read> all = new ArrayList<>();
        for (TarEntry entry = reader.next(); entry != null; entry = reader.next()) {
            ByteArrayOutputStream content = new ByteArrayOutputStream();
            for (ByteBuffer piece = reader.content(); piece != null; piece = reader.content()) {
                byte[] bytes = new byte[piece.remaining()];
                piece.get(bytes);
                content.writeBytes(bytes);
            }
            all.add(new Read(entry, content.toString(StandardCharsets.UTF_8)));
        }
        reader.drain();
        return all;
    }

    @Test
    void readsWhatCommonsCompressWrites() throws IOException {
        String longName = "d/" + "n".repeat(300);
        byte[] archive = new TestLayer()
                .directory("d/", 01755)
                .file("d/f", "content".getBytes(StandardCharsets.UTF_8), 04755, 2_100_000, 7)
                .file(longName, "x".repeat(2000))
                .symlink("s", "/" + "t".repeat(200))
                .hardLink("h", "d/f")
                .device("null", false, 1, 3)
                .fifo("p")
                .file("c", "caps", Map.of("SCHILY.xattr.user.a", "b", "mtime", "12.5"))
                .tar();

        List<Read> all = read(archive);

        assertThat(all)
                .extracting(read -> read.entry().name())
                .containsExactly("d/", "d/f", longName, "s", "h", "null", "p", "c");
        assertThat(all.get(0).entry().type()).isEqualTo(TarEntry.Type.DIRECTORY);
        assertThat(all.get(0).entry().mode()).isEqualTo(01755);
        assertThat(all.get(1).content()).isEqualTo("content");
        assertThat(all.get(1).entry().uid()).isEqualTo(2_100_000);
        assertThat(all.get(2).content()).hasSize(2000);
        assertThat(all.get(3).entry().link()).isEqualTo("/" + "t".repeat(200));
        assertThat(all.get(4).entry().type()).isEqualTo(TarEntry.Type.HARD_LINK);
        assertThat(all.get(5).entry().minor()).isEqualTo(3);
        assertThat(all.get(6).entry().type()).isEqualTo(TarEntry.Type.FIFO);
        assertThat(all.get(7).entry().attributes()).containsOnlyKeys("user.a");
        assertThat(all.get(7).entry().modified()).hasToString("1970-01-01T00:00:12.500Z");
    }

    @Test
    void readsGnuNames() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (TarArchiveOutputStream tar = new TarArchiveOutputStream(bytes)) {
            tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_GNU);
            tar.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_STAR);
            TarArchiveEntry entry = new TarArchiveEntry("g".repeat(400), TarConstants.LF_SYMLINK);
            entry.setLinkName("l".repeat(400));
            entry.setUserId(0x7fff_ffffL);
            tar.putArchiveEntry(entry);
            tar.closeArchiveEntry();
        }

        TarEntry entry = read(bytes.toByteArray()).getFirst().entry();

        assertThat(entry.name()).isEqualTo("g".repeat(400));
        assertThat(entry.link()).isEqualTo("l".repeat(400));
        assertThat(entry.uid()).isEqualTo(Integer.MAX_VALUE);
    }

    @Test
    void refusesAnArchiveThatIsCutOffAnywhereButBetweenMembers() throws IOException {
        byte[] archive = new TestLayer().file("a", "x".repeat(700)).tar();

        for (int length : new int[] {100, 512 + 10, 512 + 700, 1000}) {
            assertThatThrownBy(() -> read(Arrays.copyOf(archive, length)))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("ends within");
        }
        assertThat(read(Arrays.copyOf(archive, 512 + 1024))).hasSize(1);
        assertThat(read(new byte[0])).isEmpty();
    }

    @Test
    void refusesWhatIsNoArchive() {
        assertThatThrownBy(() -> read("hello".repeat(1000).getBytes(StandardCharsets.UTF_8)))
                .hasMessageContaining("not a tar archive");
    }

    @Test
    void refusesIdsBeyondThoseOfLinux() {
        for (String id : List.of("4294967296", "2147483648", "-1")) {
            byte[] archive = new TestLayer().file("f", "", Map.of("uid", id)).tar();
            assertThatThrownBy(() -> read(archive)).isInstanceOf(IOException.class);
        }
    }

    @Test
    void refusesSparseFilesAndHeadersThatFillMemory() throws IOException {
        assertThatThrownBy(() -> read(new TestLayer()
                        .file("f", "", Map.of("GNU.sparse.major", "1"))
                        .tar()))
                .hasMessageContaining("sparse");
        assertThatThrownBy(() -> read(withType(
                        new TestLayer().file("f", "x".repeat(2 << 20)).tar(), 'L')))
                .hasMessageContaining("bytes of names");
        assertThatThrownBy(() -> read(withType(
                        new TestLayer().file("f", "x".repeat(2 << 20)).tar(), 'x')))
                .hasMessageContaining("bytes of names");
        assertThatThrownBy(() -> read(withType(new TestLayer().file("f", "").tar(), 'S')))
                .hasMessageContaining("sparse");
        assertThatThrownBy(() -> read(withType(new TestLayer().file("f", "").tar(), 'Z')))
                .hasMessageContaining("unknown type");
    }

    /// Changes the type of the first member, with the checksum to match.
    private static byte[] withType(byte[] archive, char type) {
        archive[156] = (byte) type;
        int sum = 0;
        for (int i = 0; i < 512; i++) {
            sum += i >= 148 && i < 156 ? ' ' : archive[i] & 0xff;
        }
        byte[] digits = "%06o\0 ".formatted(sum).getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(digits, 0, archive, 148, 8);
        return archive;
    }
}
