package dev.gantry.runtime;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class CommandProtocolTest {

    private static String encoded(CommandProtocol protocol, CommandOutcome outcome) {
        return new String(protocol.encode(outcome), UTF_8);
    }

    @Test
    void takesTheFirstOfTheClientsThatItKnows() {
        assertThat(CommandProtocol.choose(
                        List.of("v5.channel.k8s.io", "v3.channel.k8s.io", "v4.channel.k8s.io"), CommandProtocol.SPDY))
                .map(CommandProtocol::version)
                .contains(3);
        assertThat(CommandProtocol.choose(List.of("v5.channel.k8s.io"), CommandProtocol.WEB_SOCKET))
                .contains(new CommandProtocol("v5.channel.k8s.io", 5, false));
        assertThat(CommandProtocol.choose(List.of("base64.channel.k8s.io"), CommandProtocol.WEB_SOCKET))
                .contains(new CommandProtocol("base64.channel.k8s.io", 1, true));
    }

    @Test
    void aClientThatNamesNoneSpeaksTheFirst() {
        assertThat(CommandProtocol.choose(List.of(), CommandProtocol.SPDY)).contains(CommandProtocol.NONE);
        assertThat(CommandProtocol.choose(List.of("v9.channel.k8s.io"), CommandProtocol.SPDY))
                .isEmpty();
        assertThat(CommandProtocol.choose(List.of("base64.channel.k8s.io"), CommandProtocol.SPDY))
                .isEmpty();
    }

    @Test
    void tellsExitCodesAsAStatusSinceVersionFour() {
        CommandProtocol four = CommandProtocol.SPDY.getFirst();

        assertThat(encoded(four, new CommandOutcome.Exited(0))).isEqualTo("{\"metadata\":{},\"status\":\"Success\"}");
        assertThat(encoded(four, new CommandOutcome.Exited(137)))
                .contains("\"status\":\"Failure\"", "\"reason\":\"NonZeroExitCode\"")
                .contains("\"reason\":\"ExitCode\"", "\"message\":\"137\"");
        assertThat(encoded(four, new CommandOutcome.Failed("no \"such\" thing")))
                .contains("\"reason\":\"InternalError\"", "no \\\"such\\\" thing");
    }

    @Test
    void tellsThemInWordsBefore() {
        CommandProtocol one = CommandProtocol.SPDY.getLast();

        assertThat(encoded(one, new CommandOutcome.Exited(0))).isEmpty();
        assertThat(encoded(one, new CommandOutcome.Exited(3))).endsWith("exit status 3");
        assertThat(encoded(one, new CommandOutcome.Failed("gone"))).isEqualTo("gone");
    }
}
