package dev.gantry.cli;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The options that every command takes.
final class CommonOptions {

    @Option(
            names = "--address",
            paramLabel = "SOCKET",
            description = "The daemon's socket; GANTRY_ADDRESS, else " + Connection.DEFAULT_ADDRESS + ".")
    @Nullable
    String address;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Explain this command.")
    boolean help;
}
