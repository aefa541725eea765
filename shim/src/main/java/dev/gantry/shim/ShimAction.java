package dev.gantry.shim;

import com.google.protobuf.Any;
import com.google.protobuf.MessageLite;
import dev.gantry.cri.containerd.runtime.bootstrap.v1.BootstrapParams;
import dev.gantry.cri.containerd.runtime.bootstrap.v1.Extension;
import dev.gantry.cri.containerd.runtime.bootstrap.v1.LogLevel;
import dev.gantry.linux.ErrnoException;
import dev.gantry.linux.Spawn;
import dev.gantry.linux.SpawnTimeoutException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/// Runs the binary of a shim: its actions `start` and `delete`, and its description. Thread-safe.
final class ShimAction {

    /// Longer folders are refused by shims, which append a hash to them.
    private static final int MAX_SOCKET_DIRECTORY = 41;

    /// Shims that drive runc write this file into the bundle before they create, and cannot clean up without
    /// it.
    private static final String CREATED = "runtime";

    private static final int MAX_OUTPUT = 64 << 10;
    private static final int MAX_MESSAGE = 4 << 10;

    /// A binary's file as it was when it refused BootstrapParams.
    private record Version(Path path, FileTime modified) {}

    private final Path eventsSocket;
    private final Optional<Path> socketDirectory;
    private final Map<Version, Boolean> takesOptionsOnly = new ConcurrentHashMap<>();

    /// @param socketDirectory where shims that can be told put their sockets; too long a path is left out
    ShimAction(Path eventsSocket, Path socketDirectory) {
        this.eventsSocket = eventsSocket;
        this.socketDirectory = socketDirectory.toString().length() <= MAX_SOCKET_DIRECTORY
                ? Optional.of(socketDirectory)
                : Optional.empty();
    }

    /// Starts a shim, or, if the one of the container's group runs, asks for its address.
    ///
    /// From containerd 2.3 on a shim is told what it needs by BootstrapParams on its standard input. Older
    /// ones take the runtime's options there and say that they do not know the type; that is remembered for
    /// the binary.
    Bootstrap start(ShimBinary binary, Bundle bundle, Duration within) throws InterruptedException {
        String attempt = "cannot start shim %s for %s".formatted(binary.path(), bundle.id());
        Version version = version(attempt, binary.path());
        if (!takesOptionsOnly.containsKey(version)) {
            Spawn.Result result = start(attempt, binary, bundle, params(binary, bundle.id()), within);
            if (!saysUnknownType(result)) {
                return reply(attempt, result);
            }
            takesOptionsOnly.put(version, true);
        }
        MessageLite options = binary.options().map(ShimOptions::toAny).orElse(Any.getDefaultInstance());
        return reply(attempt, start(attempt, binary, bundle, options, within));
    }

    private Spawn.Result start(String attempt, ShimBinary binary, Bundle bundle, MessageLite input, Duration within)
            throws InterruptedException {
        return run(attempt, binary.path(), bundle, List.of("start"), input.toByteArray(), within);
    }

    private static Version version(String attempt, Path binary) {
        try {
            return new Version(binary, Files.getLastModifiedTime(binary));
        } catch (IOException e) {
            throw new ShimException.StartFailed(attempt, "cannot read the binary", e);
        }
    }

    private BootstrapParams params(ShimBinary binary, String id) {
        BootstrapParams.Builder params = BootstrapParams.newBuilder()
                .setInstanceId(id)
                .setNamespace(Shims.NAMESPACE)
                .setLogLevel(LogLevel.LOG_LEVEL_INFO)
                .setContainerdTtrpcAddress(eventsSocket.toString())
                .setContainerdGrpcAddress(eventsSocket.toString());
        binary.options()
                .ifPresent(
                        options -> params.addExtensions(Extension.newBuilder().setValue(options.toAny())));
        socketDirectory.ifPresent(directory -> params.setSocketDir(directory.toString()));
        return params.build();
    }

    private static boolean saysUnknownType(Spawn.Result result) {
        String said = text(result);
        return !result.ok() && said.contains("type with url") && said.contains("not found");
    }

    private static Bootstrap reply(String attempt, Spawn.Result result) {
        if (!result.ok()) {
            throw new ShimException.StartFailed(attempt, text(result), null);
        }
        try {
            return Bootstrap.parse(result.output());
        } catch (IllegalArgumentException e) {
            throw new ShimException.StartFailed(attempt, e.getMessage() + " " + text(result), e);
        }
    }

    /// Makes the binary clean up after a shim that is dead: it kills what is left of the container, removes
    /// it and unmounts its root.
    ///
    /// @return the encoded answer; empty if the shim never made anything in this bundle
    Optional<byte[]> delete(Path binary, Bundle bundle, Duration within) throws InterruptedException {
        String attempt = "cannot clean up after the shim of " + bundle.id();
        List<String> arguments = List.of("-bundle", bundle.directory().toString(), "delete");
        Spawn.Result result = run(attempt, binary, bundle, arguments, new byte[0], within);
        if (result.ok()) {
            return Optional.of(result.output());
        }
        if (Files.notExists(bundle.directory().resolve(CREATED))
                && text(result).contains("no such file or directory")) {
            return Optional.empty();
        }
        throw new ShimException.StartFailed(attempt, text(result), null);
    }

    /// Makes the binary describe itself.
    ///
    /// @return the encoded description; empty if it cannot, as those before containerd 2.0
    Optional<byte[]> info(ShimBinary binary, Duration within) throws InterruptedException {
        byte[] options =
                binary.options().map(ShimOptions::toAny).map(Any::toByteArray).orElse(new byte[0]);
        String attempt = "cannot ask shim %s about itself".formatted(binary.path());
        Spawn.Result result =
                spawn(attempt, Spawn.command(binary.path().toString(), "-info").input(options), within);
        return result.ok() ? Optional.of(result.output()) : Optional.empty();
    }

    private Spawn.Result run(
            String attempt, Path binary, Bundle bundle, List<String> action, byte[] input, Duration within)
            throws InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                binary.toString(),
                "-namespace",
                Shims.NAMESPACE,
                "-address",
                eventsSocket.toString(),
                "-publish-binary",
                "/bin/true", // shims of today publish over the events socket
                "-id",
                bundle.id()));
        command.addAll(action);
        return spawn(attempt, Spawn.command(command).in(bundle.directory()).input(input), within);
    }

    private Spawn.Result spawn(String attempt, Spawn.Command command, Duration within) throws InterruptedException {
        try {
            return Spawn.run(command.env(environment()).limit(MAX_OUTPUT), within);
        } catch (SpawnTimeoutException e) {
            throw new ShimException.TimedOut(attempt, "the binary did not end within " + within);
        } catch (ErrnoException e) {
            throw new ShimException.StartFailed(attempt, String.valueOf(e.getMessage()), e);
        }
    }

    private Map<String, String> environment() {
        return Map.ofEntries(
                Map.entry("GOMAXPROCS", "2"),
                Map.entry("MAX_SHIM_VERSION", "2"), // containerd's constant; the reply to start tells the true one
                Map.entry("TTRPC_ADDRESS", eventsSocket.toString()),
                Map.entry("GRPC_ADDRESS", eventsSocket.toString()),
                Map.entry("NAMESPACE", Shims.NAMESPACE));
    }

    private static String text(Spawn.Result result) {
        String text = result.errors().length == 0
                ? result.errorText()
                : "%s %s".formatted(result.errorText(), result.outputText()).strip();
        return text.length() <= MAX_MESSAGE ? text : text.substring(0, MAX_MESSAGE);
    }
}
