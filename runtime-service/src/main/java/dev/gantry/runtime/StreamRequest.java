package dev.gantry.runtime;

import java.util.List;

/// What a client may do once with the address that it was given.
sealed interface StreamRequest {

    /// The first part of the path, `exec` in `/exec/TOKEN`.
    String path();

    /// A request for the streams of a process.
    sealed interface Command extends StreamRequest {

        /// The container's whole id.
        String container();

        ProcessIo.Wanted streams();

        boolean terminal();
    }

    record Exec(String container, List<String> command, ProcessIo.Wanted streams, boolean terminal) implements Command {

        public Exec {
            command = List.copyOf(command);
        }

        @Override
        public String path() {
            return "exec";
        }
    }

    record Attach(String container, ProcessIo.Wanted streams, boolean terminal) implements Command {

        @Override
        public String path() {
            return "attach";
        }
    }

    /// @param sandbox the pod's whole id
    /// @param ports   for clients that cannot name the port of each connection
    record PortForward(String sandbox, List<Integer> ports) implements StreamRequest {

        public PortForward {
            ports = List.copyOf(ports);
        }

        @Override
        public String path() {
            return "portforward";
        }
    }
}
