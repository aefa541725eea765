package dev.gantry.runtime;

import dev.gantry.cri.oci.Json;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// How an exec or attach ended, as its client is told over the error channel.
sealed interface CommandOutcome {

    /// The process ended.
    record Exited(int code) implements CommandOutcome {}

    /// There was no process, or its streams were lost.
    record Failed(String message) implements CommandOutcome {}

    /// Since version 4: a Kubernetes `Status`, with the exit code as a cause.
    default byte[] json() {
        Map<String, Object> status = new LinkedHashMap<>();
        status.put("metadata", Map.of());
        switch (this) {
            case Exited(int code) when code == 0 -> status.put("status", "Success");
            case Exited(int code) -> {
                status.put("status", "Failure");
                status.put("message", message(code));
                status.put("reason", "NonZeroExitCode");
                status.put(
                        "details",
                        Map.of("causes", List.of(Map.of("reason", "ExitCode", "message", Integer.toString(code)))));
            }
            case Failed(String message) -> {
                status.put("status", "Failure");
                status.put("message", message);
                status.put("reason", "InternalError");
                status.put("details", Map.of("causes", List.of(Map.of("message", message))));
                status.put("code", 500L);
            }
        }
        return Json.write(status);
    }

    /// Before version 4: words, and none after success.
    default byte[] text() {
        String text = switch (this) {
            case Exited(int code) -> code == 0 ? "" : message(code);
            case Failed(String message) -> message;
        };
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String message(int code) {
        return "command terminated with non-zero exit code: exit status " + code;
    }
}
