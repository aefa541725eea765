package dev.gantry.daemon;

import dev.gantry.image.ImageSettings;
import dev.gantry.runtime.ContainerOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// All that `gantryd` can be told, one record for each table of the TOML file. The defaults stand
/// here, where each key is read; `gantryd config default` prints them with explanations.
///
/// @param root what must survive a reboot
/// @param state what need not
/// @param drainTimeout how long calls may go on after SIGTERM
record Configuration(
        Path root,
        Path state,
        Duration drainTimeout,
        Grpc grpc,
        Log log,
        Images images,
        Storage storage,
        Cni cni,
        Containers runtime,
        Streaming streaming) {

    static final Path DEFAULT_ROOT = Path.of("/var/lib/gantry");
    static final Path DEFAULT_STATE = Path.of("/run/gantry");

    /// The socket on which CRI is served.
    ///
    /// @param mode permission bits of the socket
    /// @param maxMessageSize in bytes, of a request
    /// @param maxCalls how many calls that do work are worked on at the same time
    record Grpc(Path address, int mode, int uid, int gid, int maxMessageSize, int maxCalls) {

        static Grpc read(Section section, Path state) {
            Grpc grpc = new Grpc(
                    section.path("address", state.resolve("gantry.sock")),
                    section.mode("mode", 0660),
                    section.integer("uid", 0, 0, Integer.MAX_VALUE),
                    section.integer("gid", 0, 0, Integer.MAX_VALUE),
                    section.size("max_message_size", 16 << 20, 1 << 20),
                    section.integer("max_calls", 64, 4, 1024));
            if (grpc.address.toString().length() > SocketFile.LONGEST_PATH) {
                section.problem(
                        "address",
                        "is longer than a socket's path may be (%d bytes): %s"
                                .formatted(SocketFile.LONGEST_PATH, grpc.address));
            }
            section.end();
            return grpc;
        }
    }

    /// What goes to standard error.
    record Log(String level, String format) {

        static final List<String> LEVELS = List.of("trace", "debug", "info", "warn", "error");

        static Log read(Section section) {
            Log log = new Log(
                    section.choice("level", "info", LEVELS), section.choice("format", "text", List.of("text", "json")));
            section.end();
            return log;
        }
    }

    /// @param pauseImage reference of the image of the pause container; empty for the one that ships with the daemon
    /// @param registryConfig folders in the form of containerd's certs.d; the first that knows a host wins
    /// @param pullProgressTimeout how long a pull may go on without receiving a byte
    /// @param builtin OCI layouts that are imported at start; empty if the daemon runs from no distribution
    /// @param verifiers who decides whether an image may be pulled
    record Images(
            String pauseImage,
            List<Path> registryConfig,
            int maxConcurrentDownloads,
            int maxConcurrentUnpacks,
            Duration pullProgressTimeout,
            Optional<Path> builtin,
            ImageSettings.Verifiers verifiers) {

        static Images read(Section section, Optional<Path> home) {
            Images images = new Images(
                    section.string("pause_image", ""),
                    section.paths("registry_config", List.of(Path.of("/etc/gantry/certs.d"))),
                    section.integer("max_concurrent_downloads", 6, 1, 64),
                    section.integer("max_concurrent_unpacks", 2, 1, 64),
                    section.duration("pull_progress_timeout", Duration.ofMinutes(5)),
                    section.optionalPath("builtin").or(() -> home.map(dir -> dir.resolve("share/images"))),
                    verifiers(section.section("verifiers")));
            section.end();
            return images;
        }

        private static ImageSettings.Verifiers verifiers(Section section) {
            ImageSettings.Verifiers defaults = ImageSettings.Verifiers.NONE;
            Duration timeout = section.duration("timeout", defaults.timeout());
            if (timeout.isZero()) {
                section.problem("timeout", "must be longer than nothing, or no image could ever be pulled");
                timeout = defaults.timeout();
            }
            ImageSettings.Verifiers verifiers = new ImageSettings.Verifiers(
                    section.pathOrNone("dir"), section.integer("max", defaults.most(), 1, 1000), timeout);
            section.end();
            return verifiers;
        }
    }

    /// @param snapshotter for handlers that name none
    record Storage(String snapshotter) {

        static final List<String> SNAPSHOTTERS = List.of("overlayfs", "native");

        static Storage read(Section section) {
            Storage storage = new Storage(section.choice("snapshotter", "overlayfs", SNAPSHOTTERS));
            section.end();
            return storage;
        }
    }

    /// @param confTemplate makes a configuration in `confDir` from the node's range of addresses
    /// @param binDirs folders of CNI plugins, searched in this order
    /// @param netnsDir where the network namespaces of pods are pinned
    record Cni(
            Path confDir,
            Optional<Path> confTemplate,
            List<Path> binDirs,
            Path netnsDir,
            Duration addTimeout,
            Duration delTimeout) {

        static Cni read(Section section, Path state) {
            Cni cni = new Cni(
                    section.path("conf_dir", Path.of("/etc/cni/net.d")),
                    section.pathOrNone("conf_template"),
                    section.paths("bin_dirs", List.of(Path.of("/opt/cni/bin"), Path.of("/usr/lib/cni"))),
                    section.path("netns_dir", state.resolve("netns")),
                    section.duration("add_timeout", Duration.ofSeconds(60)),
                    section.duration("del_timeout", Duration.ofSeconds(30)));
            section.end();
            return cni;
        }
    }

    /// @param cgroupDriver `cgroupfs`, `systemd`, or `auto`: systemd where that is PID 1 on cgroup v2
    /// @param cgroupParent for pods that name none; empty for the driver's own default
    /// @param maxLogLineSize in bytes; longer lines of a container are split
    /// @param lateResultTimeout how long a pod or container waits for the retry of a client that gave up on it
    /// @param unprivilegedPorts whether pods with a network of their own may bind ports below 1024 as any user
    /// @param unprivilegedIcmp the same for ping
    /// @param selinux whether pods get labels of SELinux where the kernel has it
    /// @param selinuxCategories how many categories the policy has for them
    /// @param options what all containers have in common
    record Containers(
            String defaultHandler,
            String cgroupDriver,
            String cgroupParent,
            int maxLogLineSize,
            Duration lateResultTimeout,
            boolean unprivilegedPorts,
            boolean unprivilegedIcmp,
            boolean selinux,
            int selinuxCategories,
            ContainerOptions options,
            Map<String, HandlerSettings> handlers) {

        static Containers read(Section section, Path state) {
            Map<String, HandlerSettings> handlers = new LinkedHashMap<>();
            Section named = section.section("handlers");
            named.sections(HandlerSettings.RUNC)
                    .forEach((name, handler) -> handlers.put(name, HandlerSettings.read(handler, state)));
            Containers containers = new Containers(
                    section.string("default_handler", HandlerSettings.RUNC),
                    section.choice("cgroup_driver", "auto", List.of("auto", "cgroupfs", "systemd")),
                    section.string("cgroup_parent", ""),
                    section.size("max_log_line_size", 16 << 10, 256),
                    section.duration("late_result_timeout", Duration.ofMinutes(2)),
                    section.flag("enable_unprivileged_ports", true),
                    section.flag("enable_unprivileged_icmp", true),
                    section.flag("selinux", true),
                    section.integer("selinux_categories", 1024, 2, 65_536),
                    containerOptions(section),
                    Map.copyOf(handlers));
            if (!handlers.containsKey(containers.defaultHandler)) {
                section.problem(
                        "default_handler",
                        "names no handler: \"%s\"; there are: %s"
                                .formatted(containers.defaultHandler, String.join(", ", handlers.keySet())));
            }
            section.end();
            return containers;
        }
    }

    private static ContainerOptions containerOptions(Section section) {
        ContainerOptions defaults = ContainerOptions.DEFAULT;
        return new ContainerOptions(
                section.flag("image_defined_volumes", defaults.imageVolumes()),
                section.flag("device_ownership_from_security_context", defaults.deviceOwnership()),
                section.paths("cdi_dirs", defaults.cdiDirectories()),
                section.strings("default_rlimits", List.of()).stream()
                        .flatMap(text -> Rlimits.parse(text)
                                .or(() -> {
                                    section.problem(
                                            "default_rlimits",
                                            "holds \"%s\", which is not as in nofile=1024:524288; names are %s"
                                                    .formatted(text, String.join(", ", Rlimits.NAMES)));
                                    return Optional.empty();
                                })
                                .stream())
                        .toList());
    }

    /// Where exec, attach and port forwarding are served.
    ///
    /// @param port 0 for any that is free
    /// @param certificate path of a PEM file for TLS; empty, as the key then is too, for plain HTTP
    /// @param maxStreams at the same time
    record Streaming(String address, int port, String certificate, String key, Duration idleTimeout, int maxStreams) {

        static Streaming read(Section section) {
            Streaming streaming = new Streaming(
                    section.string("address", "127.0.0.1"),
                    section.integer("port", 0, 0, 65_535),
                    section.string("tls_certificate", ""),
                    section.string("tls_key", ""),
                    section.duration("idle_timeout", Duration.ofHours(4)),
                    section.integer("max_streams", 1000, 1, 100_000));
            if (streaming.certificate.isEmpty() != streaming.key.isEmpty()) {
                section.problem("tls_certificate", "and streaming.tls_key go together: give both or neither");
            }
            section.end();
            return streaming;
        }
    }

    /// Reads a whole configuration.
    ///
    /// @param home where the distribution lies, if the daemon runs from one
    /// @throws DaemonException.BadConfiguration that names every problem
    static Configuration read(Setting.Table table, Optional<Path> home) {
        Section.Findings findings = new Section.Findings();
        Configuration configuration = read(table, home, findings);
        if (!findings.problems().isEmpty()) {
            throw new DaemonException.BadConfiguration(findings.problems());
        }
        return configuration;
    }

    /// As [#read(Setting.Table, Optional)], with the problems noted instead of thrown.
    static Configuration read(Setting.Table table, Optional<Path> home, Section.Findings findings) {
        Section top = Section.top(table, findings);
        if (top.integer("version", 1, 0, Integer.MAX_VALUE) != 1) {
            top.problem("version", "must be 1, the only version of the configuration that this daemon knows");
        }
        Path state = top.path("state", DEFAULT_STATE);
        Configuration configuration = new Configuration(
                top.path("root", DEFAULT_ROOT),
                state,
                top.duration("drain_timeout", Duration.ofSeconds(30)),
                Grpc.read(top.section("grpc"), state),
                Log.read(top.section("log")),
                Images.read(top.section("images"), home),
                Storage.read(top.section("storage")),
                Cni.read(top.section("cni"), state),
                Containers.read(top.section("runtime"), state),
                Streaming.read(top.section("streaming")));
        top.end();
        return configuration;
    }
}
