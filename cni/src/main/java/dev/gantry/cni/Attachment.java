package dev.gantry.cni;

import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;

/// A container to be attached to the node's network.
///
/// @param netns the file by which its network namespace is reached
/// @param ifName the interface's name inside, `eth0`
/// @param args passed on in CNI_ARGS: `K8S_POD_NAMESPACE`, `K8S_POD_NAME`, `K8S_POD_UID` …
public record Attachment(
        String containerId, Path netns, String ifName, Map<String, String> args, Capabilities capabilities) {

    // CNI specification, "Parameters".
    private static final Pattern CONTAINER_ID = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]*");
    private static final Pattern INTERFACE = Pattern.compile("[^/:\\s\\p{Cntrl}]{1,15}");
    private static final Pattern KEY = Pattern.compile("[A-Za-z0-9_]+");
    private static final Pattern VALUE = Pattern.compile("[^;=\\s\\p{Cntrl}]*");

    /// @throws CniException.InvalidRequest for a value that a plugin could take for another one
    public Attachment {
        require(CONTAINER_ID.matcher(containerId).matches(), "container id", containerId);
        require(
                INTERFACE.matcher(ifName).matches() && !ifName.equals(".") && !ifName.equals(".."),
                "interface name",
                ifName);
        args = Collections.unmodifiableMap(new LinkedHashMap<>(args));
        args.forEach((key, value) -> {
            require(KEY.matcher(key).matches(), "plugin argument's name", key);
            require(VALUE.matcher(value).matches(), "plugin argument " + key, value);
        });
    }

    private static void require(boolean right, String what, String value) {
        if (!right) {
            throw new CniException.InvalidRequest("not a valid " + what + ": '" + value + "'");
        }
    }
}
