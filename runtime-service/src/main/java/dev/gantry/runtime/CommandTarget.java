package dev.gantry.runtime;

import dev.gantry.shim.StdioFifos;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// The process at the far end of an exec or attach. Methods block unless they say otherwise.
sealed interface CommandTarget {

    /// Connects the streams, and starts what is not running yet.
    ///
    /// @throws RuntimeException with words for the client
    ProcessIo.Attachment open(ProcessIo.Output output);

    /// How the process ended, where the client is to know that; completed on a thread that must not be blocked. Ask
    /// after [#open].
    CompletableFuture<CommandOutcome> outcome();

    void resize(int width, int height);

    /// The client has left before the end.
    void abandon();

    /// All is over.
    void close();

    /// A process that is added to a container.
    final class Exec implements CommandTarget {

        private final Containers containers;
        private final Execs execs;
        private final StreamRequest.Exec request;
        private volatile @Nullable ExecProcess process;

        Exec(Containers containers, Execs execs, StreamRequest.Exec request) {
            this.containers = containers;
            this.execs = execs;
            this.request = request;
        }

        @Override
        public ProcessIo.Attachment open(ProcessIo.Output output) {
            ExecProcess added = execs.add(
                    containers.get(request.container()),
                    request.command(),
                    new StdioFifos.Streams(request.streams().stdin(), request.terminal()));
            process = added;
            ProcessIo.Attachment attachment = added.io().attach(request.streams(), output);
            added.start();
            return attachment;
        }

        @Override
        public CompletableFuture<CommandOutcome> outcome() {
            return process()
                    .exit()
                    .handle((exit, failure) -> failure == null
                            ? new CommandOutcome.Exited(exit.status())
                            : new CommandOutcome.Failed("cannot learn how the command in container %s ended: %s"
                                    .formatted(request.container(), failure.getMessage())));
        }

        private ExecProcess process() {
            ExecProcess added = process;
            if (added == null) {
                throw new IllegalStateException("not opened");
            }
            return added;
        }

        @Override
        public void resize(int width, int height) {
            process().resize(width, height);
        }

        @Override
        public void abandon() {
            process().hangUp();
        }

        @Override
        public void close() {
            ExecProcess added = process;
            if (added != null) {
                added.close();
            }
        }
    }

    /// The first process of a container.
    final class Attach implements CommandTarget {

        private final Containers containers;
        private final StreamRequest.Attach request;

        Attach(Containers containers, StreamRequest.Attach request) {
            this.containers = containers;
            this.request = request;
        }

        @Override
        public ProcessIo.Attachment open(ProcessIo.Output output) {
            ProcessIo.Wanted wanted = request.streams();
            Container container = containers.get(request.container());
            boolean hasStdin = container.config().getStdin();
            return containers
                    .running(container, "attach to")
                    .io
                    .attach(new ProcessIo.Wanted(wanted.stdin() && hasStdin, wanted.stdout(), wanted.stderr()), output);
        }

        /// The streams' end says it all: the exit code is in the container's status.
        @Override
        public CompletableFuture<CommandOutcome> outcome() {
            return CompletableFuture.completedFuture(new CommandOutcome.Exited(0));
        }

        @Override
        public void resize(int width, int height) {
            Container container = containers.get(request.container());
            containers
                    .running(container, "resize the terminal of")
                    .shim
                    .resizePty(container.id(), Optional.empty(), width, height);
        }

        @Override
        public void abandon() {}

        @Override
        public void close() {}
    }
}
