package dev.gantry.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gantry.cri.gantry.v1.PullProgress;
import dev.gantry.cri.gantry.v1.PullProgress.StepCase;
import dev.gantry.cri.oci.Digest;
import dev.gantry.image.Image;
import dev.gantry.image.PullListener;
import dev.gantry.image.PullListener.Phase;
import dev.gantry.image.Reference;
import io.grpc.stub.ServerCallStreamObserver;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PullStreamTest {

    private static final Digest LOW = Digest.parse("sha256:" + "1".repeat(64));
    private static final Digest HIGH = Digest.parse("sha256:" + "2".repeat(64));
    private static final Digest MANIFEST = Digest.parse("sha256:" + "3".repeat(64));
    private static final Reference REFERENCE = Reference.parse("registry.example/a/b:c");

    private final Client client = new Client();
    private final PullStream stream = new PullStream(client);

    @Test
    void tellsWhatIsPulledFirstAndWhatCameOfItLast() {
        stream.resolved(
                REFERENCE,
                MANIFEST,
                List.of(new PullListener.Layer(LOW, 10, true), new PullListener.Layer(HIGH, 100, false)));
        stream.progress(HIGH, 40, 100, Phase.DOWNLOADING);
        stream.progress(HIGH, 100, 100, Phase.UNPACKING);
        stream.progress(HIGH, 100, 100, Phase.DONE);
        stream.done(image());

        assertThat(client.steps)
                .extracting(PullProgress::getStepCase)
                .containsExactly(StepCase.RESOLVED, StepCase.LAYER, StepCase.LAYER, StepCase.LAYER, StepCase.DONE);
        assertThat(client.steps.getFirst().getResolved().getLayersList())
                .extracting(PullProgress.Layer::getExists)
                .containsExactly(true, false);
        PullProgress.Done done = client.steps.getLast().getDone();
        assertThat(done.getImageRef()).isEqualTo(LOW.toString());
        assertThat(done.getDownloaded()).isEqualTo(100);
        assertThat(done.getRepoDigest()).isEqualTo("registry.example/a/b@" + MANIFEST);
        assertThat(client.completed).isTrue();
    }

    @Test
    void keepsNothingForAClientThatDoesNotRead() {
        client.ready = false;

        for (int bytes = 0; bytes < 100_000; bytes++) {
            stream.progress(HIGH, bytes, 100_000, Phase.DOWNLOADING);
        }
        stream.progress(HIGH, 100_000, 100_000, Phase.DONE);

        assertThat(client.steps).hasSize(2);
        assertThat(client.steps.getLast().getLayer().getPhase()).isEqualTo(PullProgress.Phase.DONE);
    }

    private static Image image() {
        return new Image(
                LOW,
                MANIFEST,
                MANIFEST,
                List.of("registry.example/a/b:c"),
                List.of("other.example/x@" + MANIFEST, "registry.example/a/b@" + MANIFEST),
                110,
                List.of(),
                Instant.EPOCH,
                false,
                "",
                false);
    }

    /// What gRPC hands a service, without a client behind it.
    private static final class Client extends ServerCallStreamObserver<PullProgress> {

        private final List<PullProgress> steps = new ArrayList<>();
        private boolean ready = true;
        private boolean completed;

        @Override
        public void onNext(PullProgress step) {
            steps.add(step);
        }

        @Override
        public void onError(Throwable failure) {
            throw new AssertionError(failure);
        }

        @Override
        public void onCompleted() {
            completed = true;
        }

        @Override
        public boolean isReady() {
            return ready;
        }

        @Override
        public boolean isCancelled() {
            return false;
        }

        @Override
        public void setOnCancelHandler(Runnable handler) {}

        @Override
        public void setCompression(String compression) {}

        @Override
        public void setOnReadyHandler(Runnable handler) {}

        @Override
        public void request(int count) {}

        @Override
        public void setMessageCompression(boolean enable) {}

        @Override
        public void disableAutoInboundFlowControl() {}
    }
}
