package dev.gantry.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gantry.cri.runtime.v1.Container;
import dev.gantry.cri.runtime.v1.ContainerStats;
import dev.gantry.cri.runtime.v1.ListContainerStatsResponse;
import dev.gantry.cri.runtime.v1.ListContainersResponse;
import io.grpc.Drainable;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class EncodedItemsTest {

    private static final Container ONE =
            Container.newBuilder().setId("one").putLabels("a", "b").build();
    private static final Container TWO =
            Container.newBuilder().setId("two").setImageRef("x".repeat(300)).build();

    private static InputStream stream(byte[]... items) {
        return EncodedItems.MARSHALLER.stream(new EncodedItems(List.of(items)));
    }

    @Test
    void isTheMessageThatProtobufWouldWrite() throws IOException {
        ListContainersResponse message = ListContainersResponse.newBuilder()
                .addContainers(ONE)
                .addContainers(TWO)
                .addContainers(Container.getDefaultInstance())
                .build();
        byte[][] items = {
            EncodedItems.item(ONE), EncodedItems.item(TWO), EncodedItems.item(Container.getDefaultInstance())
        };
        ByteArrayOutputStream drained = new ByteArrayOutputStream();

        int length = ((Drainable) stream(items)).drainTo(drained);

        assertThat(drained.toByteArray()).isEqualTo(message.toByteArray()).hasSize(length);
        assertThat(stream(items).readAllBytes()).isEqualTo(message.toByteArray());
        assertThat(stream(items).available()).isEqualTo(length);
    }

    @Test
    void canBeReadHalfAndThenDrained() throws IOException {
        InputStream half = stream(EncodedItems.item(ONE), EncodedItems.item(TWO));
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (int i = 0; i < 10; i++) {
            all.write(half.read());
        }

        int rest = ((Drainable) half).drainTo(all);

        assertThat(rest).isEqualTo(all.size() - 10);
        assertThat(ListContainersResponse.parseFrom(all.toByteArray()).getContainersList())
                .containsExactly(ONE, TWO);
        assertThat(half.read()).isEqualTo(-1);
    }

    @Test
    void anItemMayBeWrittenInTwoParts() throws IOException {
        dev.gantry.runtime.Container container = TestContainers.in(ContainerState.EXITED);
        ContainerStats attributes = ContainerStats.newBuilder()
                .setAttributes(ContainerStatsReader.attributes(container))
                .build();
        ContainerStats figures = ContainerStats.newBuilder()
                .setCpu(UsageMessages.cpu(1, 2, OptionalLong.empty(), java.util.Optional.empty()))
                .build();

        ListContainerStatsResponse message =
                ListContainerStatsResponse.parseFrom(stream(EncodedItems.item(attributes.toByteArray(), figures)));

        assertThat(message.getStatsList())
                .containsExactly(attributes.toBuilder().mergeFrom(figures).build());
    }

    @Test
    void anEmptyListIsAnEmptyMessage() throws IOException {
        assertThat(stream().readAllBytes()).isEmpty();
    }
}
