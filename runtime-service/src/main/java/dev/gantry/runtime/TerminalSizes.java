package dev.gantry.runtime;

import dev.gantry.cri.oci.Json;
import dev.gantry.cri.oci.MalformedDocumentException;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/// Reads the sizes of a client's window: JSON objects, one after the other, `{"Width":80,"Height":24}`.
final class TerminalSizes {

    /// No size is longer.
    private static final int LONGEST = 256;
    private static final int MOST = 65_535;

    /// What is done with a size.
    @FunctionalInterface
    interface Resizing {
        void resize(int width, int height);
    }

    private final Resizing resizing;
    private final StringBuilder unfinished = new StringBuilder();

    TerminalSizes(Resizing resizing) {
        this.resizing = resizing;
    }

    /// Owns the bytes.
    void add(ByteBuf bytes) {
        try {
            add(bytes.toString(StandardCharsets.ISO_8859_1));
        } finally {
            bytes.release();
        }
    }

    void add(String text) {
        for (int i = 0; i < text.length(); i++) {
            char next = text.charAt(i);
            if (unfinished.length() < LONGEST) {
                unfinished.append(next);
            }
            if (next == '}') {
                size(unfinished.toString());
                unfinished.setLength(0);
            }
        }
    }

    /// A size that makes no sense is passed over: the terminal keeps the one it has.
    private void size(String json) {
        try {
            Object parsed = Json.parse(json.getBytes(StandardCharsets.ISO_8859_1), "terminal size");
            if (parsed instanceof Map<?, ?> size
                    && size.get("Width") instanceof Long width
                    && size.get("Height") instanceof Long height
                    && width > 0
                    && height > 0
                    && width <= MOST
                    && height <= MOST) {
                resizing.resize(width.intValue(), height.intValue());
            }
        } catch (MalformedDocumentException _) {
            // as above
        }
    }
}
