package dev.gantry.sandbox;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/// Those annotations of a request that the OCI runtime may see, by the handler's list of globs.
public final class AllowedAnnotations {

    /// Names that we say ourselves; nobody else may.
    private static final String OWN = "io.kubernetes.cri.";
    /// Names with power over the host or the runtime; a glob must begin with theirs to let them through.
    private static final List<String> POWERFUL = List.of("org.systemd.property.", "org.criu.", "run.oci.");

    private AllowedAnnotations() {}

    public static Map<String, String> of(Map<String, String> annotations, List<String> globs) {
        Map<String, String> allowed = new LinkedHashMap<>();
        annotations.forEach((name, value) -> {
            if (globs.stream().anyMatch(glob -> allows(glob, name))) {
                allowed.put(name, value);
            }
        });
        return allowed;
    }

    static boolean allows(String glob, String name) {
        return matches(glob, name)
                && !name.startsWith(OWN)
                && POWERFUL.stream().allMatch(it -> !name.startsWith(it) || glob.startsWith(it));
    }

    /// `*` stands for any characters but a slash, `?` for one such.
    private static boolean matches(String glob, String name) {
        StringBuilder pattern = new StringBuilder();
        for (int i = 0; i < glob.length(); i++) {
            char c = glob.charAt(i);
            switch (c) {
                case '*' -> pattern.append("[^/]*");
                case '?' -> pattern.append("[^/]");
                default -> pattern.append(Pattern.quote(String.valueOf(c)));
            }
        }
        return Pattern.matches(pattern.toString(), name);
    }
}
