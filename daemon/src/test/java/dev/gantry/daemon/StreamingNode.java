package dev.gantry.daemon;

import dev.gantry.cri.runtime.v1.ExecRequest;
import dev.gantry.cri.runtime.v1.PortForwardRequest;
import java.io.IOException;
import java.util.List;

/// A node with a container that sleeps, and the addresses of streams to it and its pod.
record StreamingNode(ChildNode node, String pod, String container) implements AutoCloseable {

    /// @param node not started yet
    static StreamingNode start(ChildNode node) {
        TestCalls calls = node.start().calls();
        String pod = calls.run(calls.pod("pod"));
        return new StreamingNode(node, pod, calls.run(pod, calls.sleeper("sleeper")));
    }

    TestCalls calls() {
        return node.calls();
    }

    /// A command that gives its output.
    ExecRequest.Builder command(String... command) {
        return ExecRequest.newBuilder()
                .setContainerId(container)
                .addAllCmd(List.of(command))
                .setStdout(true);
    }

    String address(ExecRequest.Builder request) {
        return node.client().runtime().exec(request.build()).getUrl();
    }

    String exec(String... command) {
        return address(command(command));
    }

    String portForward() {
        return node.client()
                .runtime()
                .portForward(
                        PortForwardRequest.newBuilder().setPodSandboxId(pod).build())
                .getUrl();
    }

    @Override
    public void close() throws IOException {
        node.close();
    }
}
