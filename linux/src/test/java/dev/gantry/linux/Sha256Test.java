package dev.gantry.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;

class Sha256Test {

    @Test
    void knowsTheDigestOfTheStandard() {
        byte[] abc = "abc".getBytes(StandardCharsets.US_ASCII);

        assertThat(HexFormat.of().formatHex(Sha256.of(abc)))
                .isEqualTo("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assertThat(HexFormat.of().formatHex(Sha256.of(new byte[0])))
                .isEqualTo("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    @Test
    void agreesWithTheJdkHoweverTheBytesAreCut() throws Exception {
        Random random = new Random(42);
        byte[] bytes = new byte[300_000];
        random.nextBytes(bytes);
        byte[] expected = MessageDigest.getInstance("SHA-256").digest(bytes);
        Sha256 fast = Sha256.create();
        Sha256 slow = Sha256.ofTheJdk();

        for (int round = 0; round < 20; round++) {
            for (int at = 0; at < bytes.length; ) {
                int step = Math.min(bytes.length - at, random.nextInt(round % 2 == 0 ? 100 : 200_000));
                fast.update(bytes, at, step);
                slow.update(bytes, at, step);
                at += step;
            }
            assertThat(fast.digest()).isEqualTo(expected);
            assertThat(slow.digest()).isEqualTo(expected);
        }
    }

    @Test
    void takesBuffersInAndOutsideTheHeap() {
        byte[] bytes = new byte[100_000];
        new Random(1).nextBytes(bytes);
        ByteBuffer heap = ByteBuffer.wrap(bytes).position(10).limit(90_000);
        ByteBuffer direct =
                ByteBuffer.allocateDirect(bytes.length).put(bytes).position(10).limit(90_000);
        Sha256 expected = Sha256.ofTheJdk();
        expected.update(bytes, 10, 90_000 - 10);
        byte[] sum = expected.digest();

        for (ByteBuffer buffer : new ByteBuffer[] {heap, direct}) {
            Sha256 fast = Sha256.create();
            fast.update(buffer);
            assertThat(fast.digest()).isEqualTo(sum);
            assertThat(buffer.hasRemaining()).isFalse();
        }
    }
}
