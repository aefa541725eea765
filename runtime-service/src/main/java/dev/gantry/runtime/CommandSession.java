package dev.gantry.runtime;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One exec or attach: carries bytes between a client and a process, and ends when either does.
///
/// Everything happens on the client's event loop but for output, which comes on the thread that reads it, and what
/// blocks, which is left to the worker. A process is read no faster than the client takes its output.
final class CommandSession implements ProcessIo.Output {

    private static final Logger log = LoggerFactory.getLogger(CommandSession.class);

    /// How much output may be on its way to the client before the process is held up, and when it goes on.
    private static final int MUCH = 256 << 10;
    private static final int LITTLE = 64 << 10;
    /// Something that a command left running may hold its output open; how long to wait for more of it.
    private static final int QUIET_SECONDS = 2;

    /// Makes the session of a client that has just come.
    @FunctionalInterface
    interface Factory {
        CommandSession session(Channel channel, CommandClient client, ClientReading reading);
    }

    private record Size(int width, int height) {}

    private final Channel channel;
    private final CommandClient client;
    private final CommandTarget target;
    private final Executor worker;
    private final InputQueue input;
    private final AtomicInteger onTheWay = new AtomicInteger();
    private final AtomicLong delivered = new AtomicLong();
    private volatile ProcessIo.@Nullable Attachment attachment;
    private @Nullable Size size;
    private boolean resizing;
    private boolean gone;
    private boolean finished;

    CommandSession(
            Channel channel, CommandClient client, CommandTarget target, ClientReading reading, Executor worker) {
        this.channel = channel;
        this.client = client;
        this.target = target;
        this.worker = worker;
        this.input = new InputQueue(reading, new Stdin());
    }

    /// All that the client needs is there.
    void begin() {
        onWorker(() -> {
            try {
                ProcessIo.Attachment opened = target.open(this);
                attachment = opened;
                hold(opened);
                onLoop(() -> opened(opened));
            } catch (RuntimeException e) {
                log.atDebug().setCause(e).log("cannot open a stream");
                onLoop(() -> finish(new CommandOutcome.Failed(String.valueOf(e.getMessage()))));
            }
        });
    }

    private void opened(ProcessIo.Attachment opened) {
        var _ = target.outcome()
                .thenAcceptBoth(
                        opened.done().handle((_, failure) -> failure),
                        (outcome, failure) -> onLoop(() -> finish(failure == null ? outcome : failed(failure))));
        var _ = target.outcome().thenAccept(outcome -> onLoop(() -> finishWhenQuiet(outcome, opened, -1)));
        if (gone) {
            leave(opened);
            return;
        }
        input.open();
        passSize();
    }

    private static CommandOutcome failed(Throwable failure) {
        return new CommandOutcome.Failed(String.valueOf(failure.getMessage()));
    }

    /// An exec that has ended is over when its output is, or when nothing more comes of it. An attach ends with the
    /// container's streams alone.
    ///
    /// @param before how much output there was at the last look, −1 if the client had not taken it all: the process
    ///               may have been held up then
    private void finishWhenQuiet(CommandOutcome outcome, ProcessIo.Attachment opened, long before) {
        if (target instanceof CommandTarget.Attach || finished || gone) {
            return;
        }
        long now = delivered.get();
        boolean taken = onTheWay.get() == 0;
        if (taken && now == before) {
            log.debug("something that a command left running holds its output open");
            finish(outcome);
            return;
        }
        var _ = channel.eventLoop()
                .schedule(() -> finishWhenQuiet(outcome, opened, taken ? now : -1), QUIET_SECONDS, TimeUnit.SECONDS);
    }

    private void finish(CommandOutcome outcome) {
        if (finished) {
            return;
        }
        finished = true;
        input.close();
        if (!gone) {
            client.finish(outcome);
        }
        onWorker(this::closeAll);
    }

    private void closeAll() {
        ProcessIo.Attachment opened = attachment;
        if (opened != null) {
            opened.close();
        }
        target.close();
    }

    /// The client sends input. Owns the bytes.
    void input(ByteBuf bytes) {
        input.add(bytes);
    }

    void inputEnded() {
        input.end();
    }

    /// The client's window has another size.
    void resize(int width, int height) {
        size = new Size(width, height);
        passSize();
    }

    /// One at a time and the last one at last, as it takes a call to the shim.
    private void passSize() {
        Size next = size;
        if (next == null || resizing || attachment == null || finished) {
            return;
        }
        size = null;
        resizing = true;
        onWorker(() -> {
            try {
                target.resize(next.width(), next.height());
            } catch (RuntimeException e) {
                log.atDebug().setCause(e).log("cannot resize a terminal");
            }
            onLoop(() -> {
                resizing = false;
                passSize();
            });
        });
    }

    /// The client has left; the process may go on, but nobody hears of it.
    void gone() {
        if (gone) {
            return;
        }
        gone = true;
        input.close();
        ProcessIo.Attachment opened = attachment;
        if (opened != null && !finished) {
            leave(opened);
        }
    }

    private void leave(ProcessIo.Attachment opened) {
        opened.close();
        onWorker(target::abandon);
    }

    @Override
    public void data(LogStream stream, ByteBuffer bytes) {
        int count = bytes.remaining();
        ByteBuf copy = channel.alloc().buffer(count).writeBytes(bytes);
        delivered.addAndGet(count);
        boolean tooMuch = onTheWay.addAndGet(count) > MUCH;
        onLoop(() -> send(stream, copy, count), copy::release);
        ProcessIo.Attachment opened = attachment;
        if (tooMuch && opened != null) {
            hold(opened);
        }
    }

    /// What has left meanwhile may have found nothing to resume, so this looks once more behind it.
    private void hold(ProcessIo.Attachment opened) {
        if (onTheWay.get() > MUCH) {
            opened.pause();
            onLoop(this::goOn);
        }
    }

    private void send(LogStream stream, ByteBuf bytes, int count) {
        if (gone || finished) {
            bytes.release();
            sent(count);
            return;
        }
        var _ = client.send(stream, bytes).addListener(_ -> sent(count));
    }

    private void sent(int count) {
        onTheWay.addAndGet(-count);
        goOn();
    }

    private void goOn() {
        ProcessIo.Attachment opened = attachment;
        if (opened != null && !gone && !finished && onTheWay.get() <= LITTLE) {
            opened.resume();
        }
    }

    @Override
    public void end(LogStream stream) {
        onLoop(() -> {
            if (!gone && !finished) {
                client.end(stream);
            }
        });
    }

    private void onLoop(Runnable task) {
        onLoop(task, () -> {});
    }

    private void onLoop(Runnable task, Runnable otherwise) {
        try {
            channel.eventLoop().execute(task);
        } catch (RejectedExecutionException _) {
            otherwise.run(); // The daemon is ending.
        }
    }

    private void onWorker(Runnable task) {
        try {
            worker.execute(task);
        } catch (RejectedExecutionException e) {
            log.atDebug().setCause(e).log("the daemon is ending; a stream is left as it is");
        }
    }

    /// The process's stdin, for the input queue.
    private final class Stdin implements InputQueue.Sink {

        @Override
        public void pass(ByteBuf bytes) {
            ProcessIo.Attachment opened = attachment;
            CompletableFuture<Void> passed =
                    opened == null ? CompletableFuture.completedFuture(null) : opened.write(bytes.nioBuffer());
            var _ = passed.whenComplete((_, _) -> onLoop(
                    () -> {
                        bytes.release();
                        input.next();
                    },
                    bytes::release));
        }

        @Override
        public void end() {
            ProcessIo.Attachment opened = attachment;
            if (opened != null) {
                opened.endInput();
            }
        }
    }
}
