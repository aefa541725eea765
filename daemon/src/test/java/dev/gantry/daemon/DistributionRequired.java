package dev.gantry.daemon;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;

/// Skips what needs root, the distribution that `hack/build` makes, network plugins and a static busybox, and says so.
final class DistributionRequired implements ExecutionCondition {

    /// Maven runs the tests in the module's folder.
    static final Path DISTRIBUTION = Path.of("..").toAbsolutePath().normalize().resolve("build/gantry");

    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
        return missing()
                .map(reason -> {
                    System.err.println("skipped: " + context.getDisplayName() + " needs " + reason);
                    return ConditionEvaluationResult.disabled("needs " + reason);
                })
                .orElseGet(() -> ConditionEvaluationResult.enabled("all is there"));
    }

    private static Optional<String> missing() {
        if (!System.getProperty("user.name", "").equals("root")) {
            return Optional.of("root");
        }
        if (!Files.isExecutable(DISTRIBUTION.resolve("bin/gantryd"))) {
            return Optional.of("the distribution in " + DISTRIBUTION + ": run hack/build");
        }
        if (!Files.isExecutable(TestImages.BUSYBOX)) {
            return Optional.of("a static " + TestImages.BUSYBOX + ": run hack/setup");
        }
        if (ChildNode.pluginFolders().stream().noneMatch(folder -> Files.isExecutable(folder.resolve("bridge")))) {
            return Optional.of("network plugins in " + ChildNode.pluginFolders() + ": run hack/setup");
        }
        return Optional.empty();
    }
}
