package dev.gantry.runtime;

import java.util.ArrayDeque;
import java.util.Deque;

/// An absolute path inside a container, cleaned by its text alone: no `.`, `..` or doubled slash is left, and `..` at
/// the root stays there. Symbolic links are not looked at: the container's root is not there yet.
record ContainerPath(String value) implements Comparable<ContainerPath> {

    static final ContainerPath ROOT = new ContainerPath("/");

    /// @param what names the field in the message of a refusal, as in `mount`
    /// @throws ContainerException.InvalidRequest when the path is relative, empty or holds a NUL
    static ContainerPath of(String what, String path) {
        if (!path.startsWith("/")) {
            throw new ContainerException.InvalidRequest("%s \"%s\" is not an absolute path".formatted(what, path));
        }
        if (path.indexOf('\0') >= 0) {
            throw new ContainerException.InvalidRequest(
                    "%s \"%s\" holds a NUL character".formatted(what, path.replace('\0', '?')));
        }
        return clean(path);
    }

    /// As [#of] for a path that is known to begin at the root.
    static ContainerPath clean(String path) {
        Deque<String> parts = new ArrayDeque<>();
        for (String part : path.split("/", -1)) {
            switch (part) {
                case "", "." -> {}
                case ".." -> parts.pollLast();
                default -> parts.addLast(part);
            }
        }
        return parts.isEmpty() ? new ContainerPath("/") : new ContainerPath("/" + String.join("/", parts));
    }

    /// How many names it has; the root has none.
    int depth() {
        return value.equals("/") ? 0 : (int) value.chars().filter(c -> c == '/').count();
    }

    boolean isRoot() {
        return value.equals("/");
    }

    boolean isBelow(ContainerPath other) {
        return !equals(other) && (other.isRoot() || value.startsWith(other.value + "/"));
    }

    @Override
    public int compareTo(ContainerPath other) {
        return value.compareTo(other.value);
    }

    @Override
    public String toString() {
        return value;
    }
}
