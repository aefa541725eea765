package dev.gantry.cli;

import dev.gantry.cri.runtime.v1.ImageSpec;
import dev.gantry.cri.runtime.v1.ImageStatusRequest;
import dev.gantry.cri.runtime.v1.RemoveImageRequest;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Parameters;

/// `gantry rmi`: removes images with all their names. What no other image needs of them is freed.
final class RmiCommand implements Command {

    @Parameters(arity = "1..*", paramLabel = "IMAGE", description = "Names, digests or ids.")
    private List<String> references = new ArrayList<>();

    @Override
    public int run(Session session) throws InterruptedException {
        try (Connection connection = session.connect()) {
            return ForEach.run(session, references, reference -> {
                var image = ImageSpec.newBuilder().setImage(reference).build();
                boolean there = connection
                        .images()
                        .imageStatus(
                                ImageStatusRequest.newBuilder().setImage(image).build())
                        .hasImage();
                if (!there) { // to the daemon it is all the same, to a user it is not
                    throw new CliException.NotFound("there is no image " + reference);
                }
                var _ = connection
                        .images()
                        .removeImage(
                                RemoveImageRequest.newBuilder().setImage(image).build());
                session.terminal().out().println(reference);
            });
        }
    }
}
