package dev.gantry.shim;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;

/// What must hold with every shim that drives runc: here is what the tests need, they are in the two contracts.
///
/// All that differs between ours, containerd 2.4's and Debian's (1.6):
/// - the version of the protocol, and with it the form of the reply to `start`: 1.6 knows version 2 only;
/// - the description of itself, a question that 1.6 does not know;
/// - what a shim that was killed had seen: ours and 2.4 leave the exit code in `exit.json`, after 1.6 it is 137;
/// - what is beyond the protocol: only ours writes logs and serves attached clients ([ShimStreamsIT]).

@Timeout(120)
abstract class ShimContract implements TaskContract, LifeContract {

    ShimNode node;

    /// The binary to test, or the test is skipped with a reason.
    abstract Path binary();

    /// The version in which the shim answers.
    @Override
    public abstract int version();

    /// What the binary tells of itself, if this version can.
    @Override
    public abstract void describesItself(Optional<ShimInfo> info);

    @Override
    public ShimNode node() {
        return node;
    }

    @BeforeEach
    void open() throws IOException {
        node = new ShimNode(binary());
    }

    @AfterEach
    void close() throws Exception {
        if (node != null) {
            node.end();
        }
    }
}
