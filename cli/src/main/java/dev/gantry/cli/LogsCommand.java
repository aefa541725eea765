package dev.gantry.cli;

import dev.gantry.cri.runtime.v1.ContainerState;
import dev.gantry.cri.runtime.v1.ContainerStatus;
import dev.gantry.cri.runtime.v1.ContainerStatusRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `gantry logs`: what a container wrote, from its log file; what it wrote to stderr goes to stderr.
final class LogsCommand implements Command {

    private static final long INTERVAL_MILLIS = 100;

    @Option(
            names = {"-f", "--follow"},
            description = "Go on until the container ends.")
    private boolean follow;

    @Option(names = "--tail", paramLabel = "LINES", description = "Only so many lines of those that are there.")
    private int tail = -1;

    @Option(names = "--timestamps", description = "Print when each line was written.")
    private boolean timestamps;

    @Parameters(index = "0", paramLabel = "CONTAINER", description = "An id, a name or POD/NAME.")
    private String reference = "";

    @Override
    public int run(Session session) throws InterruptedException {
        try (Connection connection = session.connect()) {
            String id = new Finder(connection).container(reference).getId();
            Path path = logPath(connection, id);
            try (var log = new LogTail(path)) {
                printPast(log, session.terminal());
                while (follow) {
                    // asked before the log is read: what a container wrote before it ended is there then
                    boolean ended = ended(connection, id);
                    log.poll(line -> print(line, session.terminal()));
                    if (ended) {
                        break;
                    }
                    Thread.sleep(INTERVAL_MILLIS);
                }
            }
        }
        return ExitCode.OK.value();
    }

    private void printPast(LogTail log, Terminal terminal) {
        if (tail < 0) {
            log.poll(line -> print(line, terminal));
            return;
        }
        Deque<LogLine> last = new ArrayDeque<>();
        log.poll(line -> {
            last.addLast(line);
            if (last.size() > tail) {
                last.removeFirst();
            }
        });
        last.forEach(line -> print(line, terminal));
    }

    private Path logPath(Connection connection, String id) {
        String path = status(connection, id).getLogPath();
        if (path.isEmpty()) {
            throw new CliException.Failed("container %s keeps no log".formatted(reference));
        }
        Path file = Path.of(path);
        if (!follow && !Files.exists(file)) {
            throw new CliException.Failed("the log %s of container %s is gone".formatted(path, reference));
        }
        return file;
    }

    private static ContainerStatus status(Connection connection, String id) {
        return connection
                .runtime()
                .containerStatus(
                        ContainerStatusRequest.newBuilder().setContainerId(id).build())
                .getStatus();
    }

    private static boolean ended(Connection connection, String id) {
        try {
            return status(connection, id).getState() == ContainerState.CONTAINER_EXITED;
        } catch (StatusRuntimeException e) {
            if (e.getStatus().getCode() == Status.Code.NOT_FOUND) {
                return true; // removed while we looked on
            }
            throw e;
        }
    }

    private void print(LogLine line, Terminal terminal) {
        PrintStream to = line.error() ? terminal.err() : terminal.out();
        if (timestamps) {
            byte[] time = (line.time() + " ").getBytes(StandardCharsets.US_ASCII);
            to.write(time, 0, time.length);
        }
        byte[] text = line.text().toByteArray();
        to.write(text, 0, text.length);
        to.write('\n');
        to.flush();
    }
}
