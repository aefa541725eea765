package dev.gantry.runtime;

import java.nio.charset.StandardCharsets;

/// Which output of a container a log line came from.
enum LogStream {
    STDOUT("stdout"),
    STDERR("stderr");

    /// ` stdout `, as it stands between time and tag.
    private final String label;

    LogStream(String name) {
        this.label = " " + name + " ";
    }

    byte[] label() {
        return label.getBytes(StandardCharsets.US_ASCII);
    }
}
