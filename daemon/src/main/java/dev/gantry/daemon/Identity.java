package dev.gantry.daemon;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/// Which build of Gantry this is.
///
/// @param revision of the source; empty if it was built from none
record Identity(String version, String revision) {

    /// From the properties that the build writes.
    static Identity read() {
        Properties properties = new Properties();
        try (InputStream in = Identity.class.getResourceAsStream("build.properties")) {
            if (in != null) {
                properties.load(in);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read build.properties", e);
        }
        return new Identity(properties.getProperty("version", "unknown"), properties.getProperty("revision", ""));
    }
}
