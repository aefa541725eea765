package dev.gantry.runtime;

import com.google.protobuf.ByteString;
import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.cri.runtime.v1.KeyValue;
import dev.gantry.sandbox.SpecParts;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// The environment of a container: defaults, then the image's variables, then the request's, a later one replacing an
/// earlier one of the same name.
final class ContainerEnvironment {

    private static final String HOME = "HOME";

    private ContainerEnvironment() {}

    /// @throws ContainerException.InvalidRequest when a variable cannot be passed on as it is
    static List<String> of(ContainerConfig config, ImageContent image, String hostName) {
        Map<String, String> variables = new LinkedHashMap<>();
        variables.put("PATH", SpecParts.DEFAULT_PATH);
        if (config.getTty()) {
            variables.put("TERM", "xterm");
        }
        for (String entry : image.config().env()) {
            int equals = entry.indexOf('=');
            if (equals > 0) {
                put(variables, entry.substring(0, equals), entry.substring(equals + 1));
            }
        }
        variables.put("HOSTNAME", hostName);
        for (KeyValue entry : config.getEnvsList()) {
            put(variables, entry.getKey(), text(entry));
        }
        return variables.entrySet().stream()
                .map(it -> it.getKey() + "=" + it.getValue())
                .toList();
    }

    /// The variables with a `HOME`, without which the OCI runtime would look for it in `/etc/passwd` of the running
    /// container, which whoever is in there may have changed, at the start and for each command.
    static List<String> withHome(List<String> variables, String home) {
        if (variables.stream().anyMatch(it -> it.startsWith(HOME + "=") && it.length() > HOME.length() + 1)) {
            return variables;
        }
        return Stream.concat(variables.stream().filter(it -> !it.startsWith(HOME + "=")), Stream.of(HOME + "=" + home))
                .toList();
    }

    private static void put(Map<String, String> variables, String name, String value) {
        if (name.isEmpty() || name.indexOf('=') >= 0 || name.indexOf('\0') >= 0) {
            throw new ContainerException.InvalidRequest(
                    "environment variable name \"%s\" is empty or holds = or NUL".formatted(name.replace('\0', '?')));
        }
        if (value.indexOf('\0') >= 0) {
            throw new ContainerException.InvalidRequest(
                    "the value of environment variable %s holds a NUL character".formatted(name));
        }
        // Tools that write a passwd line from it would add a user of the pod's choice (CVE-2022-4318, CVE-2026-15809).
        if (name.equals(HOME) && value.indexOf('\n') >= 0) {
            throw new ContainerException.InvalidRequest("the value of environment variable HOME holds a line break");
        }
        variables.put(name, value);
    }

    /// The OCI spec is JSON, in which other bytes would silently become something else.
    private static String text(KeyValue entry) {
        ByteString value = entry.getValue();
        if (!value.isValidUtf8()) {
            throw new ContainerException.InvalidRequest(
                    "the value of environment variable %s is not UTF-8, and an OCI spec can carry nothing else"
                            .formatted(entry.getKey()));
        }
        return value.toStringUtf8();
    }
}
