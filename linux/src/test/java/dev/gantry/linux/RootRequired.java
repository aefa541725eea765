package dev.gantry.linux;

import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;

/// Skips what only root with all capabilities can try, and says so.
final class RootRequired implements ExecutionCondition {

    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
        if (HostFacts.hasCapability(HostFacts.CAP_SYS_ADMIN)) {
            return ConditionEvaluationResult.enabled("has CAP_SYS_ADMIN");
        }
        System.err.println("skipped: " + context.getDisplayName() + " needs root (CAP_SYS_ADMIN)");
        return ConditionEvaluationResult.disabled("needs root (CAP_SYS_ADMIN)");
    }
}
