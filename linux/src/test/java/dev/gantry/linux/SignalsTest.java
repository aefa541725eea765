package dev.gantry.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SignalsTest {

    @ParameterizedTest
    @CsvSource({
        "SIGTERM, 15",
        "TERM, 15",
        "sigterm, 15",
        "15, 15",
        "SIGHUP, 1",
        "SIGSYS, 31",
        "SIGKILL, 9",
        "SIGCHLD, 17",
        "SIGWINCH, 28",
        "SIGIO, 29",
        "SIGPOLL, 29",
        "SIGRTMIN, 34",
        "SIGRTMIN+3, 37",
        "RTMAX-1, 63",
        "64, 64"
    })
    void knowsNamesAndNumbers(String text, int number) {
        assertThat(Signals.number(text)).isEqualTo(number);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "SIG", "SIGFOO", "0", "65", "-9", "SIGRTMIN-1", "SIGRTMIN+31", "RTMAX+1", "9999999999"})
    void refusesWhatIsNoSignal(String text) {
        assertThatThrownBy(() -> Signals.number(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("unknown signal: " + text);
    }

    @Test
    void tellsThatAProcessIsGone() {
        // Above the largest pid that a kernel gives.
        assertThat(Signals.kill(1 << 23, 0)).isFalse();
        assertThat(Signals.kill(HostFacts.pid(), 0)).isTrue();
    }
}
