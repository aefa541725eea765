package dev.gantry.daemon;

import dev.gantry.cri.runtime.v1.ContainerStats;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/// Runs inside the node VM for [NodeVmIT]: runs a pod, prints what it sees of it, removes it.
public final class VmPod {

    private VmPod() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
        try (CriClient client = new CriClient(Path.of(arguments[0]))) {
            SamplePod pod = new SamplePod(client, SamplePod.Program.HELLO, Path.of(arguments[1]));
            pod.run();
            pod.createContainer();
            pod.startContainer();
            await(() -> !log(pod).isEmpty());
            pod.exec();
            System.out.print("log: " + log(pod));
            ContainerStats stats = pod.stats();
            System.out.println(
                    "memory: " + stats.getMemory().getWorkingSetBytes().getValue());
            System.out.println(
                    "cpu: " + stats.getCpu().getUsageCoreNanoSeconds().getValue());
            System.out.print("cgroup: " + Files.readString(Path.of("/proc", server(), "cgroup")));
            pod.stopContainer();
            pod.stop();
            pod.remove();
            System.out.println("gone");
        }
    }

    private static String log(SamplePod pod) {
        try {
            return Files.exists(pod.log()) ? Files.readString(pod.log()) : "";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// The process id of the pod's program.
    private static String server() {
        return ProcessHandle.allProcesses()
                .filter(it -> it.info()
                        .arguments()
                        .filter(words -> words.length == 1 && words[0].equals("8080"))
                        .isPresent())
                .map(it -> Long.toString(it.pid()))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("the container's process is not there"));
    }

    private static void await(BooleanSupplier condition) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(1);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > end) {
                throw new IllegalStateException("waited for a minute in vain");
            }
            TimeUnit.MILLISECONDS.sleep(100);
        }
    }
}
