package dev.gantry.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gantry.cri.runtime.v1.ContainerEventResponse;
import io.grpc.Status;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class EventSubscriberTest {

    private final FakeClient<ContainerEventResponse> client = new FakeClient<>();
    private final EventSubscriber subscriber = new EventSubscriber(client);

    EventSubscriberTest() {
        client.setOnReadyHandler(subscriber::send);
        client.setOnCancelHandler(subscriber::cancelled);
    }

    private static ContainerEventResponse event(int number) {
        return ContainerEventResponse.newBuilder().setCreatedAt(number).build();
    }

    @Test
    void getsEventsInTheirOrderWhenItCanTakeThem() {
        IntStream.range(0, 3).forEach(it -> subscriber.offer(event(it)));
        assertThat(client.received).isEmpty();

        client.take(2);
        subscriber.offer(event(3));
        client.take(5);

        assertThat(client.received).containsExactly(event(0), event(1), event(2), event(3));
        assertThat(subscriber.lost()).isZero();
    }

    @Test
    void losesTheOldestWhenItIsTooSlow() {
        IntStream.range(0, EventSubscriber.MOST_WAITING + 7).forEach(it -> subscriber.offer(event(it)));

        client.take(2 * EventSubscriber.MOST_WAITING);

        assertThat(client.received).hasSize(EventSubscriber.MOST_WAITING).startsWith(event(7));
        assertThat(subscriber.lost()).isEqualTo(7);
    }

    @Test
    void getsNothingAfterItHasGone() {
        client.take(10);
        client.cancel();

        subscriber.offer(event(1));
        subscriber.end();

        assertThat(client.received).isEmpty();
        assertThat(client.failure).isNull();
    }

    @Test
    void isSentAwayWhenTheDaemonEnds() {
        subscriber.end();
        subscriber.offer(event(1));
        client.take(1);

        assertThat(client.failure).isNotNull();
        assertThat(Status.fromThrowable(client.failure).getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        assertThat(client.received).isEmpty();
    }
}
