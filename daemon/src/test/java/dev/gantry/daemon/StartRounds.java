package dev.gantry.daemon;

import dev.gantry.cri.runtime.v1.VersionRequest;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// The benchmark of a daemon's start: from the start of the program to its first answer. A peer's folder holds a script
/// `start` that becomes the daemon.
final class StartRounds {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int SETTLE_MILLIS = 2000;

    private StartRounds() {}

    static String measure(List<Peer> peers, int rounds) throws IOException, InterruptedException {
        List<String> names = peers.stream().map(Peer::name).toList();
        Figures times = new Figures("ms", names);
        Figures memory = new Figures("PSS, MiB", names);
        for (Peer peer : peers) {
            stop(peer);
        }
        for (int round = -1; round < rounds; round++) { // one for the files to be in memory
            boolean counts = round >= 0;
            for (Peer peer : Bench.turn(peers, round + 1)) {
                double millis = start(peer);
                Thread.sleep(SETTLE_MILLIS);
                if (counts) {
                    times.add("start to first Version", peer.name(), millis);
                    memory.add("daemon after its start", peer.name(), peer.daemonMemory() / 1024.0);
                }
                stop(peer);
            }
        }
        return times + "\n" + memory;
    }

    private static double start(Peer peer) throws IOException, InterruptedException {
        long begin = System.nanoTime();
        Process daemon = new ProcessBuilder(peer.directory().resolve("start").toString())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(
                        peer.directory().resolve("start.log").toFile()))
                .start();
        Files.writeString(peer.directory().resolve(peer.daemon() + ".pid"), daemon.pid() + "\n");
        while (!answers(peer.socket())) {
            if (!daemon.isAlive() || System.nanoTime() - begin > PATIENCE.toNanos()) {
                throw new IllegalStateException(
                        "%s did not start, see start.log in %s".formatted(peer.name(), peer.directory()));
            }
            Thread.sleep(1);
        }
        return (System.nanoTime() - begin) / 1e6;
    }

    private static boolean answers(Path socket) {
        try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            channel.connect(UnixDomainSocketAddress.of(socket));
        } catch (IOException _) {
            return false;
        }
        try (CriClient client = new CriClient(socket)) {
            var _ = client.runtime().version(VersionRequest.getDefaultInstance());
            return true;
        } catch (StatusRuntimeException _) {
            return false;
        }
    }

    private static void stop(Peer peer) throws InterruptedException {
        ProcessHandle daemon = ProcessHandle.of(peer.pid())
                .orElseThrow(() -> new IllegalStateException(peer.name() + " does not run"));
        daemon.destroy();
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (isRunning(daemon)) {
            if (System.nanoTime() > end) {
                throw new IllegalStateException(peer.name() + " does not end");
            }
            TimeUnit.MILLISECONDS.sleep(10);
        }
    }

    /// A dead process that its parent has not fetched yet has no command line any more.
    private static boolean isRunning(ProcessHandle process) {
        return process.isAlive() && process.info().commandLine().isPresent();
    }
}
