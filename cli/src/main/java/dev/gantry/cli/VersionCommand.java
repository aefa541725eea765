package dev.gantry.cli;

import dev.gantry.cri.runtime.v1.VersionRequest;
import dev.gantry.cri.runtime.v1.VersionResponse;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.util.Properties;
import picocli.CommandLine.Option;

/// `gantry version`.
final class VersionCommand implements Command {

    @Option(names = "--client", description = "Do not ask the daemon.")
    private boolean client;

    @Override
    public int run(Session session) {
        PrintStream out = session.terminal().out();
        out.println("gantry " + own());
        if (!client) {
            try (Connection connection = session.connect()) {
                VersionResponse daemon = connection.runtime().version(VersionRequest.getDefaultInstance());
                out.printf(
                        "%s %s (CRI %s)%n",
                        daemon.getRuntimeName(), daemon.getRuntimeVersion(), daemon.getRuntimeApiVersion());
            }
        }
        return ExitCode.OK.value();
    }

    /// The version of this command, from the build.
    static String own() {
        var properties = new Properties();
        try (InputStream in = VersionCommand.class.getResourceAsStream("version.properties")) {
            if (in != null) {
                properties.load(in);
            }
        } catch (IOException e) {
            throw new CliException.Failed("cannot read the version from the program's own jar", e);
        }
        return properties.getProperty("version", "unknown");
    }
}
