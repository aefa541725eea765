package dev.gantry.cli;

/// One sub-command, its options filled in by picocli. Failures are [CliException]s or statuses of
/// gRPC; the answer is the exit code otherwise.
interface Command {

    int run(Session session) throws InterruptedException;
}
