package dev.gantry.cli;

/// How a list is printed. The names are what `-o` takes, in any case.
enum OutputFormat {
    TABLE,
    JSON,
    YAML
}
