package dev.gantry.cni;

import dev.gantry.cri.oci.Json;
import dev.gantry.linux.Errno;
import dev.gantry.linux.ErrnoException;
import dev.gantry.linux.Spawn;
import dev.gantry.linux.SpawnTimeoutException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/// Runs network plugins: programs that get their configuration on standard input and their orders in the
/// environment (CNI specification, section 2). Calls block their thread.
public final class PluginRunner {

    private static final int TRY_AGAIN_LATER = 11;
    private static final int TRIES = 4;
    private static final long FIRST_PAUSE_MILLIS = 250;
    // A program that is just being installed.
    private static final int BUSY_TRIES = 40;
    private static final long BUSY_PAUSE_MILLIS = 50;
    private static final int OUTPUT_LIMIT = 1 << 20;
    private static final int MESSAGE_LIMIT = 2000;
    private static final Duration VERSION_LIMIT = Duration.ofSeconds(5);

    private final List<Path> folders;
    private final Duration addTimeout;
    private final Duration delTimeout;
    private final Map<Path, Versions> versions = new ConcurrentHashMap<>();

    private record Versions(FileTime modified, List<String> supported) {}

    /// @param folders where plugins are looked for, the first one with the program wins
    /// @param addTimeout for a whole chain of ADD, and for one of CHECK
    /// @param delTimeout for a whole chain of DEL
    public PluginRunner(List<Path> folders, Duration addTimeout, Duration delTimeout) {
        this.folders = List.copyOf(folders);
        this.addTimeout = addTimeout;
        this.delTimeout = delTimeout;
    }

    Duration addTimeout() {
        return addTimeout;
    }

    Duration delTimeout() {
        return delTimeout;
    }

    /// One call of one plugin.
    ///
    /// @param action for messages: `add container x to network y`
    /// @param limit for the call with all its repetitions
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Call(
            String action,
            String command,
            String plugin,
            Map<String, String> environment,
            byte[] input,
            Duration limit) {}

    /// Makes the call and returns what the plugin wrote to its standard output. "Try again later" is
    /// answered by that, a few times.
    byte[] run(Call call) {
        long end = System.nanoTime() + call.limit().toNanos();
        long pause = FIRST_PAUSE_MILLIS;
        for (int attempt = 1; ; attempt++) {
            try {
                return runOnce(call, Duration.ofNanos(Math.max(end - System.nanoTime(), 1)));
            } catch (CniException.PluginFailed e) {
                boolean late = System.nanoTime() + pause * 1_000_000 - end >= 0;
                if (e.code() != TRY_AGAIN_LATER || attempt == TRIES || late) {
                    throw e;
                }
                sleep(call.action(), pause);
                pause *= 2;
            }
        }
    }

    /// Whether the plugin's program is there and speaks the version; asks it once per installed file.
    boolean supports(String plugin, CniVersion version) {
        Path program = find(plugin);
        FileTime modified = modified(program);
        Versions known = versions.get(program);
        if (known == null || !known.modified().equals(modified)) {
            known = new Versions(modified, askVersions(plugin));
            versions.put(program, known);
        }
        return known.supported().contains(version.toString());
    }

    /// @throws CniException.PluginMissing when no folder has it
    Path find(String plugin) {
        return folders.stream()
                .map(folder -> folder.resolve(plugin))
                .filter(file -> Files.isRegularFile(file) && Files.isExecutable(file))
                .findFirst()
                .orElseThrow(() -> new CniException.PluginMissing(plugin, folders));
    }

    private List<String> askVersions(String plugin) {
        byte[] input = Json.write(Map.of("cniVersion", CniVersion.V1_1_0.toString()));
        Call call = new Call("ask for versions", "VERSION", plugin, Map.of(), input, VERSION_LIMIT);
        byte[] output = run(call);
        try {
            return JsonObject.parse(output).texts("supportedVersions");
        } catch (JsonObject.WrongType e) {
            throw new CniException.PluginFailed(call.action(), plugin, 0, "bad answer: " + e.getMessage(), "", e);
        }
    }

    private byte[] runOnce(Call call, Duration limit) {
        Spawn.Command command = Spawn.command(find(call.plugin()).toString())
                .env(environment(call))
                .input(call.input())
                .limit(OUTPUT_LIMIT);
        Spawn.Result result;
        try {
            result = spawn(command, limit);
        } catch (SpawnTimeoutException e) {
            throw new CniException.TimedOut(call.action(), call.plugin(), call.limit(), e);
        } catch (InterruptedException e) {
            throw interrupted(call.action(), e);
        } catch (ErrnoException e) {
            throw new CniException.PluginFailed(call.action(), call.plugin(), 0, String.valueOf(e.getMessage()), "", e);
        }
        if (!result.ok()) {
            throw failure(call, result);
        }
        if (result.truncated()) {
            throw new CniException.PluginFailed(
                    call.action(), call.plugin(), 0, "its answer is longer than " + OUTPUT_LIMIT + " bytes", "");
        }
        return result.output();
    }

    private static Spawn.Result spawn(Spawn.Command command, Duration limit) throws InterruptedException {
        for (int attempt = 1; ; attempt++) {
            try {
                return Spawn.run(command, limit);
            } catch (ErrnoException e) {
                if (!e.is(Errno.ETXTBSY) || attempt == BUSY_TRIES) {
                    throw e;
                }
                Thread.sleep(BUSY_PAUSE_MILLIS);
            }
        }
    }

    private Map<String, String> environment(Call call) {
        Map<String, String> environment = new LinkedHashMap<>(call.environment());
        environment.put("CNI_COMMAND", call.command());
        environment.put("CNI_PATH", folders.stream().map(Path::toString).collect(Collectors.joining(":")));
        return environment;
    }

    /// The error that the plugin wrote, or what it wrote instead of one.
    private static CniException.PluginFailed failure(Call call, Spawn.Result result) {
        String said = shortened(result.errorText());
        Optional<JsonObject> error = parse(result.output());
        int code =
                error.flatMap(json -> json.number("code")).map(Long::intValue).orElse(0);
        String message = error.flatMap(json -> json.text("msg")).orElse("");
        String details = error.flatMap(json -> json.text("details")).orElse("");
        if (message.isEmpty()) {
            message = "exit code " + result.exitCode() + (said.isEmpty() ? "" : ": " + said);
        }
        return new CniException.PluginFailed(call.action(), call.plugin(), code, message, details);
    }

    private static Optional<JsonObject> parse(byte[] output) {
        try {
            JsonObject json = JsonObject.parse(output);
            json.number("code");
            json.text("msg");
            json.text("details");
            return Optional.of(json);
        } catch (JsonObject.WrongType e) {
            return Optional.empty();
        }
    }

    private static String shortened(String text) {
        return text.length() <= MESSAGE_LIMIT ? text : text.substring(0, MESSAGE_LIMIT) + " …";
    }

    private static FileTime modified(Path program) {
        try {
            return Files.getLastModifiedTime(program);
        } catch (IOException e) {
            return FileTime.fromMillis(0);
        }
    }

    private static void sleep(String action, long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            throw interrupted(action, e);
        }
    }

    private static CniException.Interrupted interrupted(String action, InterruptedException cause) {
        Thread.currentThread().interrupt();
        return new CniException.Interrupted(action, cause);
    }
}
