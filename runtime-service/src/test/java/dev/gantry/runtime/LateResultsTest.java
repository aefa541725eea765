package dev.gantry.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.cri.runtime.v1.KeyValue;
import dev.gantry.cri.runtime.v1.Mount;
import io.grpc.Context;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class LateResultsTest {

    private static final Duration LONG = Duration.ofHours(1);
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final Set<String> hidden = ConcurrentHashMap.newKeySet();
    private final List<String> discarded = new CopyOnWriteArrayList<>();
    private final CountDownLatch shown = new CountDownLatch(1);
    private final AtomicInteger made = new AtomicInteger();

    private LateResults<String> results(Duration keep) {
        LateResults.Handling<String> handling = new LateResults.Handling<>() {
            @Override
            public void hide(String result) {
                hidden.add(result);
            }

            @Override
            public void show(String result) {
                hidden.remove(result);
                shown.countDown();
            }

            @Override
            public void discard(String result) {
                assertThat(hidden).contains(result);
                discarded.add(result);
            }

            @Override
            public void forget(String result) {
                show(result);
            }
        };
        return new LateResults<>(handling, ContainerException.NameTaken::new, keep, Runnable::run);
    }

    private String make(Consumer<String> early) {
        String result = "made " + made.incrementAndGet();
        early.accept(result);
        return result;
    }

    /// As a caller that goes while the work is done.
    private static void late(LateResults<String> results, Function<Consumer<String>, String> work) throws Exception {
        Context.CancellableContext caller = Context.current().withCancellation();
        var _ = caller.call(() -> results.get("name", "request", early -> {
            caller.cancel(null);
            return work.apply(early);
        }));
    }

    @Test
    void goToTheirCallersAndAreForgotten() throws InterruptedException {
        LateResults<String> results = results(LONG);

        assertThat(results.get("name", "request", this::make)).isEqualTo("made 1");
        assertThat(results.get("name", "request", this::make)).isEqualTo("made 2");
        assertThat(hidden).isEmpty();
    }

    @Test
    void areKeptOutOfSightForTheSameRequest() throws Exception {
        LateResults<String> results = results(LONG);
        late(results, this::make);
        assertThat(hidden).containsExactly("made 1");

        assertThat(results.get("name", "request", this::make)).isEqualTo("made 1");

        assertThat(hidden).isEmpty();
        assertThat(results.get("name", "request", this::make)).isEqualTo("made 2");
        assertThat(discarded).isEmpty();
    }

    @Test
    void areDiscardedForAnotherRequest() throws Exception {
        LateResults<String> results = results(LONG);
        late(results, this::make);

        assertThatThrownBy(() -> results.get("name", "other", this::make))
                .isInstanceOf(ContainerException.NameTaken.class)
                .hasMessageContaining("try again");

        assertThat(discarded).containsExactly("made 1");
        assertThat(hidden).isEmpty();
        assertThat(results.get("name", "other", this::make)).isEqualTo("made 2");
    }

    @Test
    void areDiscardedWhenNobodyComes() throws Exception {
        late(results(Duration.ZERO), this::make);

        shown.await();
        assertThat(discarded).containsExactly("made 1");
    }

    @Test
    void areWaitedForAsLongAsTheirCallerDoes() throws Exception {
        LateResults<String> results = results(LONG);
        CountDownLatch working = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        CompletableFuture<Void> first = CompletableFuture.runAsync(() -> {
            try {
                late(results, early -> {
                    working.countDown();
                    awaitQuietly(go);
                    return make(early);
                });
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
        working.await();

        Context.CancellableContext impatient = Context.current().withCancellation();
        impatient.cancel(null);
        assertThatThrownBy(() -> impatient.call(() -> results.get("name", "request", this::make)))
                .isInstanceOf(StatusRuntimeException.class);
        assertThatThrownBy(() -> results.get("name", "other", this::make)).hasMessageContaining("differs");
        go.countDown();

        assertThat(results.get("name", "request", this::make)).isEqualTo("made 1");
        first.join();
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void failuresAreTheirOwnCallersOnly() throws InterruptedException {
        LateResults<String> results = results(LONG);
        assertThatThrownBy(() -> results.get("name", "request", _ -> {
                    throw new IllegalStateException("no");
                }))
                .hasMessage("no");
        assertThat(results.get("name", "request", this::make)).isEqualTo("made 1");
    }

    @Test
    void areHiddenBeforeOthersCouldSeeThem() throws Exception {
        LateResults<String> results = results(LONG);

        late(results, early -> {
            early.accept("made");
            assertThat(hidden).containsExactly("made");
            return "made";
        });

        assertThat(hidden).containsExactly("made");
    }

    @Test
    void leaveNothingHiddenThatFailsInTheEnd() {
        LateResults<String> results = results(LONG);

        assertThatThrownBy(() -> late(results, early -> {
                    early.accept("made");
                    throw new IllegalStateException("no");
                }))
                .hasMessage("no");

        assertThat(hidden).isEmpty();
    }

    /// Those who waited for an attempt that failed are callers as any other.
    @Test
    void ofATryAfterAFailureAreKeptToo() throws Exception {
        LateResults<String> results = results(LONG);
        CountDownLatch working = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        CompletableFuture<Void> first = CompletableFuture.runAsync(() -> {
            try {
                results.get("name", "request", _ -> {
                    working.countDown();
                    awaitQuietly(go);
                    throw new IllegalStateException("no");
                });
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        working.await();
        AtomicInteger atOnce = new AtomicInteger();
        List<CompletableFuture<Void>> retries = Stream.generate(() -> CompletableFuture.runAsync(() -> {
                    try {
                        late(results, early -> {
                            assertThat(atOnce.incrementAndGet()).isEqualTo(1);
                            String result = make(early);
                            atOnce.decrementAndGet();
                            return result;
                        });
                    } catch (Exception e) {
                        throw new IllegalStateException(e);
                    }
                }))
                .limit(2)
                .toList();
        go.countDown();

        assertThat(first).failsWithin(PATIENCE);
        retries.forEach(it -> assertThat(it).succeedsWithin(PATIENCE));
        assertThat(made).hasValue(1);
        assertThat(results.get("name", "request", this::make)).startsWith("made");
        assertThat(hidden).isEmpty();
    }

    @Test
    void aContainerIsTheSameThoughTheKubeletSaysItDifferently() {
        ContainerConfig first = config("/pods/1/containers/main/aaaa", "A", "B");
        ContainerConfig second = config("/pods/1/containers/main/bbbb", "B", "A");
        ContainerConfig other = config("/pods/2/containers/main/bbbb", "B", "A");

        assertThat(SameContainer.of("pod", first))
                .isEqualTo(SameContainer.of("pod", second))
                .isNotEqualTo(SameContainer.of("other", second))
                .isNotEqualTo(SameContainer.of("pod", other))
                .isNotEqualTo(SameContainer.of("pod", config("/pods/1/containers/main/aaaa", "A", "C")));
    }

    private static ContainerConfig config(String messages, String... variables) {
        ContainerConfig.Builder config = ContainerConfig.newBuilder()
                .putAnnotations("io.kubernetes.container.terminationMessagePath", "/dev/termination-log")
                .addMounts(Mount.newBuilder()
                        .setContainerPath("/dev/termination-log")
                        .setHostPath(messages))
                .addMounts(Mount.newBuilder().setContainerPath("/data").setHostPath("/data"));
        for (String variable : variables) {
            config.addEnvs(KeyValue.newBuilder().setKey(variable).setValue(ByteString.copyFromUtf8("x")));
        }
        return config.build();
    }
}
