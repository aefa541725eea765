package dev.gantry.runtime;

import dev.gantry.image.StreamedAnswer;
import io.grpc.stub.ServerCallStreamObserver;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/// Sends a list as a stream of batches.
final class ListStream {

    /// Small against the 4 MiB that a gRPC client takes at once if nobody told it otherwise.
    private static final int MOST_BYTES = 256 << 10;

    private static final int MOST_ITEMS = 500;

    private ListStream() {}

    static void send(ServerCallStreamObserver<EncodedItems> client, Iterator<byte[]> items) {
        StreamedAnswer.send(client, new Batches(items), RuntimeErrors::of);
    }

    private record Batches(Iterator<byte[]> items) implements Iterator<EncodedItems> {

        @Override
        public boolean hasNext() {
            return items.hasNext();
        }

        @Override
        public EncodedItems next() {
            List<byte[]> batch = new ArrayList<>();
            int size = 0;
            do {
                byte[] item = items.next();
                size += item.length;
                batch.add(item);
            } while (items.hasNext() && batch.size() < MOST_ITEMS && size < MOST_BYTES);
            return new EncodedItems(batch);
        }
    }
}
