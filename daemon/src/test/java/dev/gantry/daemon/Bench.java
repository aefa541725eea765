package dev.gantry.daemon;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/// The client of `hack/bench`: drives one daemon, or two in alternation, over CRI, and prints what it measured.
///
/// `Bench WHAT ROUNDS FOLDER...`: WHAT is `pod`, `pull`, `memory`, `steps`, `critest`, `lists` or `start`, a FOLDER one
/// that
/// `hack/node` or `hack/containerd` started a daemon in. The ratios are the first folder's figures by the second's.
public final class Bench {

    private Bench() {}

    public static void main(String[] arguments) throws Exception {
        int rounds = Integer.parseInt(arguments[1]);
        List<Peer> peers =
                Arrays.stream(arguments).skip(2).map(Path::of).map(Peer::in).toList();
        String report = switch (arguments[0]) {
            case "pod" -> PodRounds.measure(peers, rounds);
            case "pull" -> PullRounds.measure(peers, rounds);
            case "memory" -> MemoryRounds.measure(peers, rounds);
            case "steps" -> Steps.measure(peers.getFirst(), rounds);
            case "critest" -> CritestRounds.read(peers);
            case "lists" -> ListRounds.measure(peers, rounds);
            case "start" -> StartRounds.measure(peers, rounds);
            default -> throw new IllegalArgumentException("nothing is called " + arguments[0]);
        };
        System.out.println(report);
    }

    /// The peers in the order of this round: each is first in every other.
    static <T> List<T> turn(List<T> peers, int round) {
        return round % 2 == 0 ? peers : peers.reversed();
    }
}
