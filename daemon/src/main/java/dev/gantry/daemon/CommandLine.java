package dev.gantry.daemon;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// What `gantryd` was started with. Read by hand: the few options are not worth the start time of a
/// library for them.
///
/// @param overrides from the command line, as the table they amount to
record CommandLine(Command command, Optional<Path> config, Setting.Table overrides) {

    static final String USAGE = """
            usage: gantryd [OPTION...]                 serve until SIGTERM
                   gantryd config default              print the configuration with its defaults
                   gantryd config check [OPTION...] [FILE]
                                                       say what is wrong with a configuration
                   gantryd version

            --config FILE    read FILE (and conf.d/*.toml beside it) instead of /etc/gantry/config.toml
            --root DIR       where images, and what must survive a reboot, are kept
            --state DIR      where everything else is kept
            --address FILE   the socket to serve on
            --set KEY=VALUE  override any key, as in --set log.level=debug; may be repeated
            """;

    private static final Set<String> OPTIONS = Set.of("--config", "--root", "--state", "--address", "--set");

    private static final Pattern PLAIN_ITEM = Pattern.compile("\"([^\"\\\\\\p{Cntrl}]*)\"");
    private static final Pattern PLAIN_LIST =
            Pattern.compile("\\[(?:" + PLAIN_ITEM + "(?:, ?" + PLAIN_ITEM + ")*)?\\]");

    enum Command {
        SERVE,
        PRINT_DEFAULTS,
        CHECK,
        PRINT_VERSION,
        HELP
    }

    /// Throws [DaemonException.BadUsage].
    static CommandLine parse(List<String> arguments) {
        Parser parser = new Parser(arguments);
        while (parser.next < arguments.size()) {
            parser.step();
        }
        return new CommandLine(parser.command(), parser.config, parser.overrides);
    }

    private static final class Parser {

        private final List<String> arguments;
        private final List<String> words = new ArrayList<>();
        private int next;
        private Optional<Path> config = Optional.empty();
        private boolean help;
        private boolean version;
        private Setting.Table overrides = Setting.Table.EMPTY;

        Parser(List<String> arguments) {
            this.arguments = arguments;
        }

        void step() {
            String argument = arguments.get(next++);
            switch (argument) {
                case "-h", "--help", "help" -> help = true;
                case "-v", "--version" -> version = true;
                case String word when !word.startsWith("-") -> words.add(word);
                default -> option(argument);
            }
        }

        private void option(String argument) {
            int equals = argument.indexOf('=');
            String name = equals < 0 ? argument : argument.substring(0, equals);
            if (!OPTIONS.contains(name)) {
                throw new DaemonException.BadUsage("unknown option " + name);
            }
            String value = equals < 0 ? following(name) : argument.substring(equals + 1);
            switch (name) {
                case "--config" -> config = Optional.of(Path.of(value).toAbsolutePath());
                case "--root", "--state" -> override(name, name.substring(2), absolute(value));
                case "--address" -> override(name, "grpc.address", absolute(value));
                default -> set(value);
            }
        }

        private String following(String name) {
            if (next == arguments.size()) {
                throw new DaemonException.BadUsage("option " + name + " needs a value");
            }
            return arguments.get(next++);
        }

        private static String absolute(String path) {
            return Path.of(path).toAbsolutePath().toString();
        }

        private void set(String assignment) {
            int equals = assignment.indexOf('=');
            if (equals < 1) {
                throw new DaemonException.BadUsage("--set needs KEY=VALUE, not " + assignment);
            }
            String key = assignment.substring(0, equals).strip();
            String origin = "--set " + key;
            overrides = overrides.overlaidWith(
                    nested(key, literal(assignment.substring(equals + 1).strip(), origin)));
        }

        private void override(String origin, String key, String value) {
            overrides = overrides.overlaidWith(nested(key, new Setting.Scalar(value, origin)));
        }

        /// A value as TOML has it, or, where it is none, the text itself: `--set log.level=debug`.
        private static Setting literal(String value, String origin) {
            if (value.matches("0|[1-9][0-9]{0,17}")) {
                return new Setting.Scalar(Long.parseLong(value), origin);
            }
            return switch (value) {
                case "true", "false" -> new Setting.Scalar(Boolean.valueOf(value), origin);
                case String list when PLAIN_LIST.matcher(list).matches() -> plainList(list, origin);
                case String toml when toml.matches("(?s)[\\[{\"'].*") -> toml(toml, origin);
                default -> new Setting.Scalar(value, origin);
            };
        }

        /// What most overrides are, without the parser, which would be a tenth of the start.
        private static Setting plainList(String list, String origin) {
            List<Setting> items = new ArrayList<>();
            PLAIN_ITEM.matcher(list).results().forEach(item -> items.add(new Setting.Scalar(item.group(1), origin)));
            return new Setting.Items(items, origin);
        }

        private static Setting toml(String value, String origin) {
            Setting parsed = TomlFile.parse(origin, "v = " + value).entries().get("v");
            return switch (parsed) {
                case Setting.Scalar(Object scalar, var _) -> new Setting.Scalar(scalar, origin);
                case Setting.Items(List<Setting> items, var _) -> new Setting.Items(items, origin);
                case Setting.Table(Map<String, Setting> entries, var _) -> new Setting.Table(entries, origin);
                case null -> throw new DaemonException.BadUsage(origin + ": not a value: " + value);
            };
        }

        private static Setting.Table nested(String key, Setting value) {
            int dot = key.indexOf('.');
            if (dot < 0) {
                return new Setting.Table(Map.of(key, value), value.origin());
            }
            Setting inner = nested(key.substring(dot + 1), value);
            return new Setting.Table(new LinkedHashMap<>(Map.of(key.substring(0, dot), inner)), value.origin());
        }

        private Command command() {
            if (help) {
                return Command.HELP;
            }
            if (version) {
                return Command.PRINT_VERSION;
            }
            if (words.size() == 3 && words.subList(0, 2).equals(List.of("config", "check"))) {
                config = Optional.of(Path.of(words.get(2)).toAbsolutePath());
                return Command.CHECK;
            }
            return switch (String.join(" ", words)) {
                case "" -> Command.SERVE;
                case "version" -> Command.PRINT_VERSION;
                case "config default" -> Command.PRINT_DEFAULTS;
                case "config check" -> Command.CHECK;
                case String other -> throw new DaemonException.BadUsage("unknown command: " + other);
            };
        }
    }
}
