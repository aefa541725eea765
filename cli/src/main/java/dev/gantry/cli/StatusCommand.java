package dev.gantry.cli;

import dev.gantry.cri.gantry.v1.InfoRequest;
import dev.gantry.cri.gantry.v1.InfoResponse;
import dev.gantry.cri.runtime.v1.RuntimeCondition;
import dev.gantry.cri.runtime.v1.StatusRequest;
import java.io.PrintStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Mixin;

/// `gantry status`: the conditions of the node and the set-up of its daemon. Ends with 1 if a
/// condition does not hold, so that a script can wait for a node to be ready.
final class StatusCommand implements Command {

    @Mixin
    private OutputOption output = new OutputOption();

    @Override
    public int run(Session session) {
        List<RuntimeCondition> conditions;
        InfoResponse info;
        try (Connection connection = session.connect()) {
            conditions = connection
                    .runtime()
                    .status(StatusRequest.getDefaultInstance())
                    .getStatus()
                    .getConditionsList();
            info = connection.gantry().info(InfoRequest.getDefaultInstance());
        }
        print(session.terminal().out(), conditions, daemon(info));
        // The others, such as an old runc, are for the operator to read; the node works all the same.
        boolean ready =
                conditions.stream().filter(it -> it.getType().endsWith("Ready")).allMatch(RuntimeCondition::getStatus);
        return (ready ? ExitCode.OK : ExitCode.FAILED).value();
    }

    private void print(PrintStream out, List<RuntimeCondition> conditions, Map<String, Object> daemon) {
        Map<String, Object> document = new LinkedHashMap<>();
        document.put(
                "conditions", conditions.stream().map(StatusCommand::condition).toList());
        document.put("daemon", daemon);
        switch (output.format) {
            case TABLE -> table(out, conditions, daemon);
            case JSON -> out.print(Documents.json(document));
            case YAML -> out.print(Documents.yaml(document));
        }
    }

    private static void table(PrintStream out, List<RuntimeCondition> conditions, Map<String, Object> daemon) {
        var listing = new Listing("CONDITION", "HOLDS", "REASON");
        for (RuntimeCondition c : conditions) {
            String why = c.getMessage().isEmpty() ? c.getReason() : c.getReason() + ": " + c.getMessage();
            listing.add(List.of(c.getType(), c.getStatus() ? "yes" : "no", why), Map.of());
        }
        listing.print(out, OutputFormat.TABLE);
        out.println();
        var facts = new Listing("DAEMON", "");
        daemon.forEach((name, value) -> facts.add(List.of(name, String.valueOf(value)), Map.of()));
        facts.print(out, OutputFormat.TABLE);
    }

    private static Map<String, Object> condition(RuntimeCondition c) {
        Map<String, Object> object = new LinkedHashMap<>();
        object.put("type", c.getType());
        object.put("status", c.getStatus());
        object.put("reason", c.getReason());
        object.put("message", c.getMessage());
        return object;
    }

    private static Map<String, Object> daemon(InfoResponse info) {
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("version", info.getVersion());
        facts.put("revision", info.getRevision());
        facts.put("pid", info.getPid());
        facts.put(
                "startedAt",
                Instant.ofEpochSecond(
                                info.getStartedAt().getSeconds(),
                                info.getStartedAt().getNanos())
                        .toString());
        facts.put("uptimeSeconds", info.getUptimeSeconds());
        facts.put("address", info.getAddress());
        facts.put("root", info.getRoot());
        facts.put("state", info.getState());
        facts.put("config", info.getConfigPath());
        facts.put("cgroupDriver", info.getCgroupDriver());
        facts.put("cgroupVersion", info.getCgroupVersion());
        facts.put("snapshotter", info.getSnapshotter());
        facts.put("defaultHandler", info.getDefaultHandler());
        List<Object> handlers = new ArrayList<>();
        info.getHandlersList()
                .forEach(h -> handlers.add(h.getName() + " (" + h.getShim()
                        + (h.getSnapshotter().isEmpty() ? "" : ", " + h.getSnapshotter()) + ")"));
        facts.put("handlers", handlers);
        facts.put("java", info.getJavaVersion());
        return facts;
    }
}
