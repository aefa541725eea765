package dev.gantry.shim;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;
import org.slf4j.event.Level;

class ShimLogTest {

    @Test
    void tellsTroubleFromTalk() {
        assertThat(ShimLog.level("time=\"2026-01-02T03:04:05Z\" level=info msg=\"starting\""))
                .isEqualTo(Level.DEBUG);
        assertThat(ShimLog.level("time=\"2026-01-02T03:04:05Z\" level=warning msg=x"))
                .isEqualTo(Level.WARN);
        assertThat(ShimLog.level("{\"level\":\"error\",\"msg\":\"x\"}")).isEqualTo(Level.WARN);
        assertThat(ShimLog.level("panic: runtime error: index out of range")).isEqualTo(Level.WARN);
        assertThat(ShimLog.level("no panic here")).isEqualTo(Level.DEBUG);
    }

    @Test
    void aLineWithoutEndTakesNoMoreMemoryThanTheLongestAllowed() {
        ShimLog log = new ShimLog("a");
        byte[] endless = "x".repeat(64 << 10).getBytes(UTF_8);
        for (int i = 0; i < 100; i++) {
            log.data(ByteBuffer.wrap(endless));
        }
        assertThat(log.waiting()).isEqualTo(4 << 10);
        log.data(ByteBuffer.wrap("\nnext".getBytes(UTF_8)));
        assertThat(log.waiting()).isEqualTo(4);
    }
}
