package dev.gantry.cli;

import dev.gantry.cri.gantry.v1.PullRequest;
import dev.gantry.cri.runtime.v1.AuthConfig;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `gantry pull`: fetches an image and shows how far it is; prints the id of the image.
final class PullCommand implements Command {

    @Option(
            names = "--creds",
            paramLabel = "USER:PASSWORD",
            description = "For the registry; GANTRY_CREDS, which other users cannot see, serves as well.")
    private @Nullable String credentials;

    @Option(names = "--platform", paramLabel = "OS/ARCH", description = "Another platform than the node's own.")
    private @Nullable String platform;

    @Parameters(index = "0", paramLabel = "IMAGE", description = "As in a pod: nginx, registry/name:tag, name@digest.")
    private String image = "";

    @Override
    public int run(Session session) {
        var request = PullRequest.newBuilder().setImage(image);
        if (platform != null) {
            request.setPlatform(platform);
        }
        String login = credentials == null ? session.terminal().variable("GANTRY_CREDS", "") : credentials;
        if (!login.isEmpty()) {
            request.setAuth(login(login));
        }
        try (Connection connection = session.connect()) {
            String id = ImagePull.run(connection, request.build(), PullView.on(session.terminal()));
            session.terminal().out().println(id);
        }
        return ExitCode.OK.value();
    }

    private static AuthConfig login(String words) {
        int colon = words.indexOf(':');
        if (colon < 1) {
            throw new CliException.Usage("credentials have to be USER:PASSWORD");
        }
        return AuthConfig.newBuilder()
                .setUsername(words.substring(0, colon))
                .setPassword(words.substring(colon + 1))
                .build();
    }
}
