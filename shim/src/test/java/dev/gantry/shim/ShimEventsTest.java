package dev.gantry.shim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import dev.gantry.cri.containerd.events.TaskExit;
import dev.gantry.cri.containerd.events.TaskOOM;
import dev.gantry.cri.containerd.services.events.ttrpc.v1.ForwardRequest;
import dev.gantry.cri.containerd.types.Envelope;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class ShimEventsTest {

    private final BlockingQueue<String> heard = new LinkedBlockingQueue<>();
    private final CountDownLatch go = new CountDownLatch(1);
    private final ShimEvents events = new ShimEvents(new TaskEvents() {
        @Override
        public void exited(String container, Optional<String> exec, int pid, Exit exit) {
            try {
                go.await();
            } catch (InterruptedException e) {
                return;
            }
            if (container.equals("bad")) {
                throw new IllegalStateException("a listener's own failure");
            }
            heard.add("%s %s %d %d".formatted(container, exec.orElse("-"), pid, exit.status()));
        }

        @Override
        public void oom(String container) {
            heard.add("oom " + container);
        }
    });

    @AfterEach
    void close() {
        go.countDown();
        events.close();
    }

    @Test
    void handsOnInOrderWhatConcernsUs() throws Exception {
        go.countDown();
        forward(Shims.NAMESPACE, exit("a", "a", 137));
        forward("moby", exit("b", "b", 0));
        forward(Shims.NAMESPACE, exit("bad", "bad", 0)); // must not end the thread
        forward(Shims.NAMESPACE, exit("a", "shell", 4));
        forward(Shims.NAMESPACE, any("containerd.events.TaskPaused", ByteString.EMPTY));
        forward(Shims.NAMESPACE, any("containerd.events.TaskOOM", oom("c").toByteString()));

        assertThat(heard.poll(5, TimeUnit.SECONDS)).isEqualTo("a - 7 137");
        assertThat(heard.poll(5, TimeUnit.SECONDS)).isEqualTo("a shell 7 4");
        assertThat(heard.poll(5, TimeUnit.SECONDS)).isEqualTo("oom c");
    }

    @Test
    void refusesWhatIsMalformed() {
        assertThatThrownBy(() -> call(ByteString.copyFromUtf8("\u007f")))
                .isInstanceOf(InvalidProtocolBufferException.class);
        assertThatThrownBy(() ->
                        forward(Shims.NAMESPACE, any("containerd.events.TaskExit", ByteString.copyFromUtf8("\u007f"))))
                .isInstanceOf(InvalidProtocolBufferException.class);
    }

    @Test
    void tellsShimsToComeBackWhenTheListenerLags() throws Exception {
        List<ShimException> refused = new ArrayList<>();
        for (int i = 0; i < 5000; i++) {
            try {
                forward(Shims.NAMESPACE, exit("a", "e" + i, 0));
            } catch (ShimException.Unavailable e) {
                refused.add(e);
            }
        }
        assertThat(refused).hasSizeBetween(5000 - 4100, 5000 - 4096);

        go.countDown();
        assertThat(heard.poll(5, TimeUnit.SECONDS)).isEqualTo("a e0 7 0");
        assertThat(heard.poll(5, TimeUnit.SECONDS)).isEqualTo("a e1 7 0");
    }

    private void forward(String namespace, Any event) throws InvalidProtocolBufferException {
        Envelope envelope =
                Envelope.newBuilder().setNamespace(namespace).setEvent(event).build();
        var _ = call(ForwardRequest.newBuilder().setEnvelope(envelope).build().toByteString());
    }

    private MessageLite call(ByteString request) throws InvalidProtocolBufferException {
        return Objects.requireNonNull(events.methods().get(ShimEvents.METHOD)).call(request);
    }

    private static Any exit(String container, String id, int status) {
        TaskExit exit = TaskExit.newBuilder()
                .setContainerId(container)
                .setId(id)
                .setPid(7)
                .setExitStatus(status)
                .build();
        return any("containerd.events.TaskExit", exit.toByteString());
    }

    private static TaskOOM oom(String container) {
        return TaskOOM.newBuilder().setContainerId(container).build();
    }

    private static Any any(String type, ByteString value) {
        return Any.newBuilder().setTypeUrl(type).setValue(value).build();
    }
}
