package dev.gantry.shim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import java.io.ByteArrayOutputStream;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;

class FrameProperties {

    @Property(tries = 300)
    void framesSurviveBeingCutIntoPiecesOfAnySize(
            @ForAll("frames") List<Frame> frames, @ForAll @IntRange(min = 1, max = 100) int piece) throws Exception {
        Taken taken = new Taken();
        byte[] bytes = encode(frames);

        FrameReader reader = new FrameReader();
        for (int i = 0; i < bytes.length; i += piece) {
            reader.read(ByteBuffer.wrap(bytes, i, Math.min(piece, bytes.length - i)), taken);
        }

        assertThat(taken.frames).isEqualTo(frames);
        assertThat(taken.oversized).isEmpty();
    }

    @Property(tries = 50)
    void oversizedDataIsSkippedAndWhatFollowsIsRead(
            @ForAll @IntRange(min = Frame.MAX_DATA + 1, max = Frame.MAX_DATA + 100_000) int length,
            @ForAll("frames") List<Frame> after)
            throws Exception {
        Taken taken = new Taken();
        FrameReader reader = new FrameReader();

        reader.read(header(length, 7, 1), taken);
        reader.read(ByteBuffer.allocate(length), taken);
        reader.read(ByteBuffer.wrap(encode(after)), taken);

        assertThat(taken.oversized).containsExactly(7);
        assertThat(taken.frames).isEqualTo(after);
    }

    @Property
    void anUnknownTypeIsRefused(@ForAll byte type) {
        if (type >= 1 && type <= 3) {
            return;
        }
        assertThatThrownBy(() -> new FrameReader().read(header(0, 1, type), new Taken()))
                .isInstanceOf(ProtocolException.class);
    }

    @Property
    void aNegativeLengthIsRefused(@ForAll @IntRange(min = Integer.MIN_VALUE, max = -1) int length) {
        assertThatThrownBy(() -> new FrameReader().read(header(length, 1, 1), new Taken()))
                .isInstanceOf(ProtocolException.class);
    }

    @Property
    void garbageEitherIsRefusedOrReadsAsFrames(@ForAll byte[] garbage) {
        Taken taken = new Taken();
        try {
            new FrameReader().read(ByteBuffer.wrap(garbage), taken);
        } catch (ProtocolException _) {
            // the one failure that is allowed
        }
        assertThat(taken.frames).allSatisfy(frame -> assertThat(frame.type()).isBetween((byte) 1, (byte) 3));
    }

    @Provide
    Arbitrary<List<Frame>> frames() {
        Arbitrary<ByteString> data =
                Arbitraries.bytes().array(byte[].class).ofMaxSize(300).map(ByteString::copyFrom);
        return Combinators.combine(
                        Arbitraries.integers(),
                        Arbitraries.bytes().between((byte) 1, (byte) 3),
                        Arbitraries.bytes(),
                        data)
                .as(Frame::new)
                .list()
                .ofMaxSize(10);
    }

    private static ByteBuffer header(int length, int stream, int type) {
        return ByteBuffer.allocate(Frame.HEADER)
                .putInt(length)
                .putInt(stream)
                .put((byte) type)
                .put((byte) 0)
                .flip();
    }

    private static byte[] encode(List<Frame> frames) {
        var bytes = new ByteArrayOutputStream();
        frames.forEach(frame -> bytes.writeBytes(frame.encode().array()));
        return bytes.toByteArray();
    }

    private static final class Taken implements FrameReader.Sink {

        private final List<Frame> frames = new ArrayList<>();
        private final List<Integer> oversized = new ArrayList<>();

        @Override
        public void frame(Frame frame) {
            frames.add(frame);
        }

        @Override
        public void oversized(int stream, byte type, int length) {
            oversized.add(stream);
        }
    }
}
