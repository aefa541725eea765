package dev.gantry.cli;

import dev.gantry.cri.gantry.v1.PullProgress;
import dev.gantry.cri.gantry.v1.PullRequest;
import java.util.Iterator;

/// Pulls one image, step by step into a view.
final class ImagePull {

    private ImagePull() {}

    /// Returns the id of the image. The view is closed in any case, so that an error stands below it.
    static String run(Connection connection, PullRequest request, PullView view) {
        try (view) {
            Iterator<PullProgress> steps = connection.gantryWithoutDeadline().pull(request);
            while (steps.hasNext()) {
                PullProgress step = steps.next();
                view.show(step);
                if (step.hasDone()) {
                    return step.getDone().getImageId();
                }
            }
        }
        throw new CliException.Failed("the daemon did not say how the pull of %s ended".formatted(request.getImage()));
    }
}
