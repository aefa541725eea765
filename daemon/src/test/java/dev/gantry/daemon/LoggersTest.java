package dev.gantry.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;

class LoggersTest {

    private static final String TIME = "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z";

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final Loggers loggers = new Loggers(new PrintStream(out, true, StandardCharsets.UTF_8));
    private final Logger log = loggers.getLogger("dev.gantry.daemon.Daemon");

    @Test
    void writesTextWithPairs() {
        log.atInfo()
                .addKeyValue("image", "a/b:c")
                .addKeyValue("reason", "no \"such\" file")
                .addKeyValue("empty", "")
                .log("pulled {} layers", 3);

        assertThat(line())
                .matches(
                        TIME + " INFO  Daemon: pulled 3 layers image=a/b:c reason=\"no .\"such.\" file\" empty=\"\"\n");
    }

    @Test
    void writesJson() {
        loggers.set(new Configuration.Log("debug", "json"));

        log.atDebug().addKeyValue("pod", 7).log("said \"x\"\n\u0001");

        assertThat(line())
                .matches(
                        "\\{\"time\":\"" + TIME
                                + "\",\"level\":\"debug\",\"logger\":\"Daemon\",\"message\":\"said ..x...n.u0001\",\"pod\":\"7\"}\n");
    }

    @Test
    void keepsTextFromOutsideOnItsLine() {
        log.warn("bad name: {}", "x\n2026-01-01T00:00:00.000Z INFO  Daemon: all is well");

        assertThat(line()).hasLineCount(1);
    }

    @Test
    void indentsTheTraceOfACause() {
        log.error("cannot go on", new IllegalStateException("broken", new RuntimeException("deeper")));

        assertThat(line().lines())
                .hasSizeGreaterThan(3)
                .anyMatch(text -> text.startsWith("    java.lang.IllegalStateException: broken"))
                .anyMatch(text -> text.startsWith("    Caused by: java.lang.RuntimeException: deeper")
                        || text.startsWith("        Caused by: java.lang.RuntimeException: deeper"));
        assertThat(line().lines().skip(1)).allMatch(text -> text.startsWith("    "));
    }

    @Test
    void leavesOutWhatIsBelowItsLevel() {
        log.debug("hidden");
        assertThat(line()).isEmpty();

        loggers.set(new Configuration.Log("trace", "text"));
        log.trace("shown");
        loggers.getLogger("io.netty.Chatter").info("hidden");

        assertThat(line()).contains("shown").doesNotContain("hidden");
    }

    @Property
    void writesTheTimeAsJavaTimeDoes(
            @ForAll @LongRange(min = -62_000_000_000_000L, max = 250_000_000_000_000L) long millis) {
        DateTimeFormatter expected =
                new DateTimeFormatterBuilder().appendInstant(3).toFormatter();
        StringBuilder text = new StringBuilder();

        LogFormats.time(text, millis);

        assertThat(text).hasToString(expected.format(Instant.ofEpochMilli(millis)));
    }

    private String line() {
        return out.toString(StandardCharsets.UTF_8);
    }
}
