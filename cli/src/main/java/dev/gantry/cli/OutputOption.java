package dev.gantry.cli;

import picocli.CommandLine.Option;

/// The option `-o` of the commands that print lists.
final class OutputOption {

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FORMAT",
            description = "table, json or yaml.")
    OutputFormat format = OutputFormat.TABLE;
}
