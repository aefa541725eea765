package dev.gantry.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gantry.cri.runtime.v1.Container;
import dev.gantry.cri.runtime.v1.StreamContainersResponse;
import io.grpc.Status;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class ListStreamTest {

    private final FakeClient<EncodedItems> client = new FakeClient<>();

    private static Stream<byte[]> items(int count, int size) {
        return IntStream.range(0, count)
                .mapToObj(i -> EncodedItems.item(Container.newBuilder()
                        .setId("id" + i)
                        .setImageRef("x".repeat(size))
                        .build()));
    }

    private static List<String> ids(List<EncodedItems> batches) throws IOException {
        List<String> ids = new ArrayList<>();
        for (EncodedItems batch : batches) {
            StreamContainersResponse.parseFrom(EncodedItems.MARSHALLER.stream(batch)).getContainersList().stream()
                    .map(Container::getId)
                    .forEach(ids::add);
        }
        return ids;
    }

    @Test
    void sendsEachItemOnceAsTheClientTakesThem() throws IOException {
        ListStream.send(client, items(2000, 0).iterator());
        assertThat(client.received).isEmpty();

        client.take(1);
        assertThat(client.received).hasSize(1);
        assertThat(client.completed).isFalse();
        client.take(100);

        assertThat(client.received).hasSizeBetween(2, 10);
        assertThat(ids(client.received))
                .containsExactlyElementsOf(
                        IntStream.range(0, 2000).mapToObj(i -> "id" + i).toList());
        assertThat(client.completed).isTrue();
    }

    @Test
    void batchesOfLargeItemsAreSmall() throws IOException {
        client.take(1000);

        ListStream.send(client, items(100, 100_000).iterator());

        assertThat(client.received)
                .hasSizeGreaterThan(20)
                .allSatisfy(batch -> assertThat(
                                EncodedItems.MARSHALLER.stream(batch).available())
                        .isLessThan(1 << 20));
        assertThat(ids(client.received)).hasSize(100).doesNotHaveDuplicates();
    }

    @Test
    void makesNoItemsForAClientThatHasGone() {
        List<byte[]> made = new ArrayList<>();
        ListStream.send(client, items(2000, 0).peek(made::add).iterator());
        client.take(1);
        int before = made.size();

        client.cancel();
        client.take(100);

        assertThat(made).hasSize(before);
        assertThat(client.completed).isFalse();
    }

    @Test
    void anEmptyListIsAnEmptyStream() {
        client.take(1);

        ListStream.send(client, Stream.<byte[]>empty().iterator());

        assertThat(client.received).isEmpty();
        assertThat(client.completed).isTrue();
    }

    @Test
    void aFailureEndsTheStreamWithItsStatus() {
        client.take(10);
        Iterator<byte[]> failing = items(10, 0)
                .map(it -> {
                    if (it.length > 0) {
                        throw new ContainerException.NotFound("x");
                    }
                    return it;
                })
                .iterator();

        ListStream.send(client, failing);

        assertThat(client.failure).isNotNull();
        assertThat(Status.fromThrowable(client.failure).getCode()).isEqualTo(Status.Code.NOT_FOUND);
    }
}
