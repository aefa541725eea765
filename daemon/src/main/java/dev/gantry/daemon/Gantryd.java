package dev.gantry.daemon;

import dev.gantry.linux.ErrnoException;
import dev.gantry.linux.ServiceManager;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The program `gantryd`.
public final class Gantryd {

    /// Exit codes: as a shell has them for a command that failed and one that was called wrongly.
    private static final int FAILED = 1;

    private static final int MISUSED = 2;

    private final PrintStream out;
    private final PrintStream errors;
    private final Optional<Path> home;

    private Gantryd(PrintStream out, PrintStream errors, Optional<Path> home) {
        this.out = out;
        this.errors = errors;
        this.home = home;
    }

    /// @param args see [CommandLine#USAGE]
    public static void main(String[] args) {
        Optional<Path> home =
                Optional.ofNullable(System.getProperty("gantry.home")).map(Path::of);
        System.exit(new Gantryd(System.out, System.err, home).run(List.of(args)));
    }

    static int run(List<String> arguments, PrintStream out, PrintStream errors) {
        return new Gantryd(out, errors, Optional.empty()).run(arguments);
    }

    private int run(List<String> arguments) {
        try {
            CommandLine line = CommandLine.parse(arguments);
            switch (line.command()) {
                case HELP -> out.print(CommandLine.USAGE);
                case PRINT_VERSION -> out.println("gantryd " + Identity.read().version());
                case PRINT_DEFAULTS -> out.print(defaults());
                case CHECK -> check(line);
                case SERVE -> serve(line);
            }
            return 0;
        } catch (DaemonException.BadUsage e) {
            errors.println("gantryd: " + e.getMessage() + "; see gantryd --help");
            return MISUSED;
        } catch (DaemonException e) {
            e.getMessage().lines().forEach(problem -> errors.println("gantryd: " + problem));
            return FAILED;
        }
    }

    static String defaults() {
        try (InputStream in = Gantryd.class.getResourceAsStream("default.toml")) {
            if (in == null) {
                throw new IllegalStateException("default.toml is not in the jar");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read default.toml", e);
        }
    }

    private void check(CommandLine line) {
        ConfigurationFiles files = ConfigurationFiles.find(line.config());
        configuration(line, files);
        files.files().forEach(file -> out.println(file + ": ok"));
    }

    private Configuration configuration(CommandLine line, ConfigurationFiles files) {
        return Configuration.read(files.read().overlaidWith(line.overrides()), home);
    }

    private void serve(CommandLine line) {
        ConfigurationFiles files = ConfigurationFiles.find(line.config());
        Configuration configuration = configuration(line, files);
        Loggers.configure(configuration.log());
        Logger log = LoggerFactory.getLogger(Gantryd.class);
        TerminationSignals signals = TerminationSignals.install(() -> reload(line, files, log));
        Identity identity = Identity.read();
        try (Daemon _ = Daemon.start(configuration, files.files().stream().findFirst(), identity)) {
            log.atInfo()
                    .addKeyValue("address", configuration.grpc().address())
                    .addKeyValue("version", identity.version())
                    .log("serving");
            tellServiceManager("READY=1", log);
            String signal = signals.await();
            tellServiceManager("STOPPING=1", log);
            log.atInfo().addKeyValue("signal", signal).log("stopping; containers run on");
        }
        log.info("stopped");
    }

    /// A manager that does not listen is no reason to stop serving pods.
    private static void tellServiceManager(String message, Logger log) {
        String socket = System.getenv().getOrDefault("NOTIFY_SOCKET", "");
        if (socket.isEmpty()) {
            return;
        }
        try {
            ServiceManager.tell(socket, message);
        } catch (ErrnoException | IllegalArgumentException e) {
            log.atWarn().addKeyValue("message", message).log(e.getMessage());
        }
    }

    private void reload(CommandLine line, ConfigurationFiles files, Logger log) {
        try {
            Configuration.Log options = configuration(line, files).log();
            Loggers.configure(options);
            log.atInfo()
                    .addKeyValue("level", options.level())
                    .log("reloaded the log's settings; everything else needs a restart");
        } catch (DaemonException e) {
            log.atError().log("cannot reload, going on as before: " + e.getMessage());
        }
    }
}
