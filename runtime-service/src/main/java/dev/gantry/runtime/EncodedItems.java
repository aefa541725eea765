package dev.gantry.runtime;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.MessageLite;
import com.google.protobuf.WireFormat;
import io.grpc.Drainable;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.List;

/// An answer that is nothing but a list, as it goes over the wire: all list messages of the CRI have their items in
/// field 1. So a list of what has not changed is a copy of bytes.
final class EncodedItems {

    private static final int FIELD = 1;

    /// Writes answers; nobody reads them here.
    static final MethodDescriptor.Marshaller<EncodedItems> MARSHALLER = new MethodDescriptor.Marshaller<>() {
        @Override
        public InputStream stream(EncodedItems value) {
            return new Bytes(value);
        }

        @Override
        public EncodedItems parse(InputStream stream) {
            throw new UnsupportedOperationException("answers are only written");
        }
    };

    private final List<byte[]> items;
    private final int size;

    /// @param items each from [#item] or [#join]
    EncodedItems(List<byte[]> items) {
        this.items = items;
        this.size = items.stream().mapToInt(it -> it.length).reduce(0, Math::addExact);
    }

    /// A message as an item, with its tag and length.
    static byte[] item(MessageLite message) {
        return item(new byte[0], message);
    }

    /// A message in two parts, the first of which is encoded already: one message written after another of the same
    /// type completes it.
    static byte[] item(byte[] first, MessageLite rest) {
        int length = first.length + rest.getSerializedSize();
        byte[] item = new byte
                [CodedOutputStream.computeTagSize(FIELD) + CodedOutputStream.computeUInt32SizeNoTag(length) + length];
        CodedOutputStream out = CodedOutputStream.newInstance(item);
        try {
            out.writeTag(FIELD, WireFormat.WIRETYPE_LENGTH_DELIMITED);
            out.writeUInt32NoTag(length);
            out.writeRawBytes(first);
            rest.writeTo(out);
            out.checkNoSpaceLeft();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write to an array", e);
        }
        return item;
    }

    /// Several items as if they were one.
    static byte[] join(List<byte[]> items) {
        byte[] all = new byte[items.stream().mapToInt(it -> it.length).reduce(0, Math::addExact)];
        int at = 0;
        for (byte[] item : items) {
            System.arraycopy(item, 0, all, at, item.length);
            at += item.length;
        }
        return all;
    }

    private static final class Bytes extends InputStream implements Drainable, KnownLength {

        private final EncodedItems source;
        private int item;
        private int offset;
        private int left;

        Bytes(EncodedItems source) {
            this.source = source;
            this.left = source.size;
        }

        @Override
        public int drainTo(OutputStream target) throws IOException {
            int drained = left;
            for (; item < source.items.size(); item++) {
                byte[] bytes = source.items.get(item);
                target.write(bytes, offset, bytes.length - offset);
                offset = 0;
            }
            left = 0;
            return drained;
        }

        @Override
        public int available() {
            return left;
        }

        @Override
        public int read() {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : Byte.toUnsignedInt(one[0]);
        }

        @Override
        public int read(byte[] target, int begin, int length) {
            if (left == 0) {
                return -1;
            }
            while (offset == source.items.get(item).length) {
                item++;
                offset = 0;
            }
            byte[] bytes = source.items.get(item);
            int count = Math.min(length, bytes.length - offset);
            System.arraycopy(bytes, offset, target, begin, count);
            offset += count;
            left -= count;
            return count;
        }
    }
}
