package dev.gantry.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class KeyedLocksTest {

    private final KeyedLocks locks = new KeyedLocks();

    @Test
    void workOnOneIdIsSerial() throws Exception {
        int[] count = new int[1];
        List<Future<?>> work = new ArrayList<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            for (int i = 0; i < 4; i++) {
                work.add(threads.submit(() -> {
                    for (int round = 0; round < 5_000; round++) {
                        try (KeyedLocks.Held _ = locks.lock("one")) {
                            count[0]++;
                        }
                    }
                }));
            }
            for (Future<?> one : work) {
                one.get(30, TimeUnit.SECONDS);
            }
        }
        assertThat(count[0]).isEqualTo(20_000);
    }

    @Test
    void unrelatedIdsDoNotWait() throws Exception {
        CountDownLatch done = new CountDownLatch(1);
        try (KeyedLocks.Held _ = locks.lock("one")) {
            Thread other = Thread.ofPlatform().start(() -> {
                try (KeyedLocks.Held _ = locks.lock("two")) {
                    done.countDown();
                }
            });
            assertThat(done.await(10, TimeUnit.SECONDS)).isTrue();
            other.join();
        }
    }

    @Test
    void oneThreadMayTakeALockTwice() {
        try (KeyedLocks.Held _ = locks.lock("one");
                KeyedLocks.Held _ = locks.lock("one")) {
            assertThat(locks).isNotNull();
        }
        try (KeyedLocks.Held again = locks.lock("one")) {
            assertThat(again).isNotNull();
        }
    }
}
