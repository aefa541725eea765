package dev.gantry.runtime;

import dev.gantry.linux.Cgroups;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// How likely the kernel is to kill the processes of a container for want of memory.
///
/// The score belongs to each process, and children inherit it, so a change goes to all that are there. Those that have
/// chosen another one for themselves keep it.
final class OomScores {

    private static final Logger log = LoggerFactory.getLogger(OomScores.class);

    private final Cgroups cgroups;

    OomScores(Cgroups cgroups) {
        this.cgroups = cgroups;
    }

    void change(String cgroup, long from, long to) {
        if (from == to) {
            return;
        }
        for (int pid : cgroups.processes(cgroup)) {
            Path file = Path.of("/proc", Integer.toString(pid), "oom_score_adj");
            try {
                if (Files.readString(file).strip().equals(Long.toString(from))) {
                    Files.writeString(file, Long.toString(to));
                }
            } catch (NoSuchFileException e) {
                log.atTrace().addKeyValue("pid", pid).setCause(e).log("ended meanwhile");
            } catch (IOException e) {
                log.atWarn()
                        .addKeyValue("cgroup", cgroup)
                        .addKeyValue("pid", pid)
                        .setCause(e)
                        .log("cannot change the oom_score_adj of a process; its limits are changed all the same");
            }
        }
    }
}
