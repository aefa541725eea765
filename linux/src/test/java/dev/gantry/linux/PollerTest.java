package dev.gantry.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class PollerTest {

    @TempDir
    private Path directory;

    private final Poller poller = new Poller();

    @AfterEach
    void close() {
        poller.close();
    }

    private static class Collected implements Poller.Input {
        final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        final AtomicInteger ends = new AtomicInteger();
        final CountDownLatch ended = new CountDownLatch(1);

        @Override
        public void data(ByteBuffer more) {
            byte[] part = new byte[more.remaining()];
            more.get(part);
            bytes.writeBytes(part);
        }

        @Override
        public void end() {
            ends.incrementAndGet();
            ended.countDown();
        }
    }

    @Test
    void readsAMegabyteThroughAFifoToItsEnd() throws Exception {
        Path fifo = fifo("out");
        byte[] sent = new byte[1 << 20];
        new Random(7).nextBytes(sent);
        Collected collected = new Collected();
        Poller.Registration registration = poller.read(Fifo.openRead(fifo), collected);

        try (OutputStream out = Files.newOutputStream(fifo)) {
            out.write(sent);
        }
        registration.done().get(20, TimeUnit.SECONDS);

        assertThat(collected.bytes.toByteArray()).isEqualTo(sent);
        assertThat(collected.ends).hasValue(1);
    }

    @Test
    void servesAQuietFifoBesideAChattyOne() throws Exception {
        Path loud = fifo("loud");
        Path quiet = fifo("quiet");
        Collected heard = new Collected();
        Collected noise = new Collected() {
            @Override
            public void data(ByteBuffer more) {
                // Dropped: this goes on for as long as the other one takes.
            }
        };
        poller.read(Fifo.openRead(loud), noise);
        poller.read(Fifo.openRead(quiet), heard);

        try (Fd writer = Fifo.openReadWrite(loud)) {
            Thread shouting = Thread.ofPlatform().start(() -> {
                ByteBuffer block = ByteBuffer.allocateDirect(32 * 1024);
                while (heard.ended.getCount() > 0) {
                    writer.write(block.clear());
                }
            });
            try (OutputStream out = Files.newOutputStream(quiet)) {
                out.write("psst".getBytes(StandardCharsets.US_ASCII));
            }
            assertThat(heard.ended.await(20, TimeUnit.SECONDS)).isTrue();
            shouting.join();
        }

        assertThat(heard.bytes.toString(StandardCharsets.US_ASCII)).isEqualTo("psst");
    }

    @Test
    void doesNotEndBeforeTheFirstWriterHasCome() throws Exception {
        Path fifo = fifo("late");
        Collected collected = new Collected();
        poller.read(Fifo.openRead(fifo), collected);

        assertThat(collected.ended.await(200, TimeUnit.MILLISECONDS)).isFalse();
        Files.newOutputStream(fifo).close();

        assertThat(collected.ended.await(20, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void aClosedRegistrationIsDoneWithoutAnEnd() throws Exception {
        Collected collected = new Collected();
        Poller.Registration registration = poller.read(Fifo.openReadWrite(fifo("in")), collected);

        registration.close();
        registration.done().get(20, TimeUnit.SECONDS);

        assertThat(collected.ends).hasValue(0);
    }

    @Test
    void aFailingInputEndsAloneAndTheOthersGoOn() throws Exception {
        Path bad = fifo("bad");
        Path good = fifo("good");
        Collected failing = new Collected() {
            @Override
            public void data(ByteBuffer more) {
                throw new IllegalStateException("on purpose");
            }
        };
        Collected collected = new Collected();
        Poller.Registration registration = poller.read(Fifo.openRead(bad), failing);
        poller.read(Fifo.openRead(good), collected);

        Files.writeString(bad, "x");
        registration.done().get(20, TimeUnit.SECONDS);
        Files.writeString(good, "fine");

        assertThat(collected.ended.await(20, TimeUnit.SECONDS)).isTrue();
        assertThat(failing.ends).hasValue(1);
        assertThat(collected.bytes.toString(StandardCharsets.US_ASCII)).isEqualTo("fine");
    }

    @Test
    void writesAMegabyteAsTheReaderTakesIt() throws Exception {
        Path fifo = fifo("stdin");
        byte[] sent = new byte[1 << 20];
        new Random(8).nextBytes(sent);
        Poller.Output output = poller.write(Fifo.openReadWrite(fifo));

        var written = output.write(ByteBuffer.wrap(sent));
        byte[] received;
        try (var in = Files.newInputStream(fifo)) {
            received = in.readNBytes(sent.length);
        }
        written.get(20, TimeUnit.SECONDS);

        assertThat(Arrays.equals(received, sent)).isTrue();
        output.close();
    }

    @Test
    void offersNoMoreRoomThanItsQueueAndThePipeHave() {
        Poller.Output output = poller.write(Fifo.openReadWrite(fifo("full")));
        ByteBuffer block = ByteBuffer.allocate(16 * 1024);

        int taken = 0;
        while (taken < 100 && output.offer(block.clear())) {
            taken++;
        }

        assertThat(taken).isBetween(4, 8);
        output.close();
    }

    @Test
    void failsWhatIsUnwrittenWhenClosed() {
        Poller.Output output = poller.write(Fifo.openReadWrite(fifo("closed")));
        var written = output.write(ByteBuffer.allocate(1 << 20));

        output.close();

        assertThatThrownBy(() -> written.get(20, TimeUnit.SECONDS))
                .isInstanceOf(ExecutionException.class)
                .hasCauseInstanceOf(ErrnoException.class);
        assertThat(output.offer(ByteBuffer.allocate(1))).isFalse();
    }

    @Test
    void refusesAFileThatIsNoFifo() throws Exception {
        Path file = Files.writeString(directory.resolve("file"), "");

        assertThatThrownBy(() -> Fifo.openRead(file))
                .isInstanceOf(ErrnoException.class)
                .hasMessageContaining("as a fifo");
    }

    @Test
    void readsNothingWhileItIsPausedAndAllOfItAfterwards() throws Exception {
        Path fifo = fifo("paused");
        Collected collected = new Collected();
        Poller.Registration registration = poller.read(Fifo.openRead(fifo), collected);
        registration.pause();
        try (OutputStream out = Files.newOutputStream(fifo)) {
            out.write("late".getBytes(StandardCharsets.US_ASCII));
        }

        assertThat(collected.ended.await(100, TimeUnit.MILLISECONDS)).isFalse();
        assertThat(collected.bytes.size()).isZero();

        registration.resume();
        registration.done().get(10, TimeUnit.SECONDS);
        assertThat(collected.bytes).hasToString("late");
    }

    @Test
    void releasesAPausedDescriptor() throws Exception {
        Poller.Registration registration = poller.read(Fifo.openRead(fifo("given-up")), new Collected());
        registration.pause();

        registration.close();

        registration.done().get(10, TimeUnit.SECONDS);
        registration.resume();
        assertThat(registration.done()).isCompleted();
    }

    @Test
    void takesBackWhatIsNotWrittenYet() throws Exception {
        Path fifo = fifo("taken-back");
        Fd full = Fifo.openReadWrite(fifo);
        while (full.write(ByteBuffer.allocate(4096)) > 0) {
            // Until nothing more fits, so that none of what follows is written before a reader comes.
        }
        Poller.Output output = poller.write(full);
        var first = output.write(ByteBuffer.wrap("first".getBytes(StandardCharsets.US_ASCII)));
        var second = output.write(ByteBuffer.wrap("second".getBytes(StandardCharsets.US_ASCII)));

        first.cancel(false);
        second.cancel(false);
        var third = output.write(ByteBuffer.wrap("third".getBytes(StandardCharsets.US_ASCII)));

        Collected collected = new Collected();
        Poller.Registration reader = poller.read(Fifo.openRead(fifo), collected);
        third.get(10, TimeUnit.SECONDS);
        output.close();
        reader.done().get(10, TimeUnit.SECONDS);
        assertThat(collected.bytes.toString(StandardCharsets.US_ASCII).replace("\0", ""))
                .isEqualTo("third");
    }

    private Path fifo(String name) {
        Path fifo = directory.resolve(name);
        Fifo.create(fifo, 0600);
        return fifo;
    }
}
