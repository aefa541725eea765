package dev.gantry.runtime;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gantry.cri.oci.Json;
import dev.gantry.cri.oci.Spec;
import org.junit.jupiter.api.Test;

class BaseSpecTest {

    private static final String OWN = """
        {"ociVersion": "1.2.0", "root": {"path": "rootfs", "readonly": true},
         "process": {"cwd": "/app", "args": ["app"], "env": ["PATH=/bin", "A=own"], "user": {"uid": 5, "gid": 6},
                     "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 1, "hard": 2},
                                 {"type": "RLIMIT_CORE", "soft": 0, "hard": 0}]},
         "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
                    {"destination": "/data/deep", "type": "bind", "source": "/x"}],
         "annotations": {"a": "own"},
         "linux": {"cgroupsPath": "/x", "namespaces": [{"type": "mount"}],
                   "resources": {"cpu": {"shares": 7}, "unified": {"memory.high": "1"}}}}
        """;

    private static final String BASE = """
        {"ociVersion": "1.0.0", "root": {"path": "/elsewhere"}, "hostname": "base",
         "process": {"cwd": "/", "args": ["base"], "env": ["A=base", "B=base"], "user": {"uid": 0, "gid": 0},
                     "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 1024, "hard": 4096}],
                     "ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 4}},
         "mounts": [{"destination": "/proc", "type": "bind", "source": "/evil"},
                    {"destination": "/data", "type": "tmpfs", "source": "tmpfs"}],
         "hooks": {"createRuntime": [{"path": "/bin/hook"}]},
         "annotations": {"a": "base", "b": "base"},
         "linux": {"cgroupsPath": "/base", "namespaces": [{"type": "pid"}], "maskedPaths": ["/x"],
                   "resources": {"cpu": {"shares": 9}, "pids": {"limit": 100},
                                 "unified": {"memory.high": "2", "memory.low": "3"}}}}
        """;

    private static Spec spec(String json) {
        return Spec.parse(json.getBytes(UTF_8), "a spec");
    }

    @Test
    void givesWhatARequestCannotSayAndNothingElse() {
        Spec whole = BaseSpec.under(spec(OWN), spec(BASE));

        assertThat(Json.parse(whole.toJson(), "the whole"))
                .isEqualTo(Json.parse(spec("""
                    {"ociVersion": "1.2.0", "root": {"path": "rootfs", "readonly": true},
                     "process": {"cwd": "/app", "args": ["app"], "env": ["A=own", "B=base", "PATH=/bin"],
                                 "user": {"uid": 5, "gid": 6},
                                 "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 1024, "hard": 4096},
                                             {"type": "RLIMIT_CORE", "soft": 0, "hard": 0}],
                                 "ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 4}},
                     "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
                                {"destination": "/data", "type": "tmpfs", "source": "tmpfs"},
                                {"destination": "/data/deep", "type": "bind", "source": "/x"}],
                     "hooks": {"createRuntime": [{"path": "/bin/hook"}]},
                     "annotations": {"a": "own", "b": "base"},
                     "linux": {"cgroupsPath": "/x", "namespaces": [{"type": "mount"}],
                               "resources": {"cpu": {"shares": 7}, "pids": {"limit": 100},
                                             "unified": {"memory.high": "1", "memory.low": "3"}}}}
                    """).toJson(), "the expected"));
    }

    @Test
    void changesNothingWhereItSaysNothing() {
        assertThat(BaseSpec.under(spec(OWN), spec("{\"ociVersion\": \"1.2.0\"}")))
                .isEqualTo(spec(OWN));
    }
}
