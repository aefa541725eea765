package dev.gantry.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

class LogParserProperties {

    @Property(tries = 300)
    void aLineIsWholeAgainHoweverItWasSplit(
            @ForAll @Size(max = 200) byte[] text, @ForAll @IntRange(min = 1, max = 40) int part) {
        var parser = new LogParser();
        List<LogLine> lines = new ArrayList<>();
        int at = 0;
        do {
            int end = Math.min(text.length, at + part);
            String tag = end == text.length ? "F" : "P";
            parser.accept(record("2026-11-22T15:04:05Z stderr " + tag + " ", text, at, end))
                    .ifPresent(lines::add);
            at = end;
        } while (at < text.length);

        assertThat(lines).containsExactly(new LogLine("2026-11-22T15:04:05Z", true, ByteString.copyFrom(text)));
    }

    @Property(tries = 300)
    void noBytesMakeTheParserFail(@ForAll byte[] record) {
        var parser = new LogParser();

        parser.accept(record).ifPresent(line -> assertThat(line.text().size()).isLessThanOrEqualTo(record.length));
    }

    private static byte[] record(String head, byte[] text, int from, int to) {
        var out = new ByteArrayOutputStream();
        out.writeBytes(head.getBytes(StandardCharsets.US_ASCII));
        out.write(text, from, to - from);
        return out.toByteArray();
    }
}
