package dev.gantry.linux;

import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/// One line of /proc/self/mountinfo (proc(5)).
///
/// @param root the directory within the file system that is shown at `target`
/// @param tags what the mount propagates with: `shared:N`, `master:N`, `unbindable`
public record MountInfo(
        int id,
        int parent,
        String root,
        Path target,
        Set<String> options,
        List<String> tags,
        String type,
        String source,
        String superOptions) {

    public MountInfo {
        options = Set.copyOf(options);
        tags = List.copyOf(tags);
    }
}
