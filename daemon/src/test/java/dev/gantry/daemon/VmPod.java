package dev.gantry.daemon;

import dev.gantry.cri.runtime.v1.ContainerStats;
import dev.gantry.cri.runtime.v1.ExecSyncResponse;
import dev.gantry.cri.runtime.v1.LinuxPodSandboxStats;
import dev.gantry.cri.runtime.v1.ListMetricDescriptorsRequest;
import dev.gantry.cri.runtime.v1.ListPodSandboxMetricsRequest;
import dev.gantry.cri.runtime.v1.Metric;
import dev.gantry.cri.runtime.v1.MetricDescriptor;
import dev.gantry.cri.runtime.v1.PodSandboxStatsRequest;
import dev.gantry.cri.runtime.v1.SecurityProfile;
import dev.gantry.cri.runtime.v1.SecurityProfile.ProfileType;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Runs inside the node VM for [NodeVmIT]: runs pods, prints what it sees of them, removes them.
public final class VmPod {

    /// Loaded by node-vm.sh.
    private static final String PROFILE = "gantry-test";

    /// For what the image of the pods has no program for.
    private static final Path BUSYBOX = Path.of("/bin/busybox");

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
            System.out.println("waits: " + stats.getCpu().hasPsi() + " "
                    + stats.getMemory().hasPsi() + " " + stats.hasIo());
            printPod(client, pod.sandbox());
            System.out.print("cgroup: " + Files.readString(Path.of("/proc", server(), "cgroup")));
            pod.stopContainer();
            pod.stop();
            pod.remove();
            System.out.println("gone");
            runWithCrun(new SamplePod(client, SamplePod.Program.HELLO, Path.of(arguments[1])));
            confine(pod.confined(PROFILE));
            refuse(pod.confined("not-loaded"));
            tryToWrite(client, Path.of(arguments[1]));
        }
    }

    private static void printPod(CriClient client, String id) {
        LinuxPodSandboxStats pod = client.runtime()
                .podSandboxStats(
                        PodSandboxStatsRequest.newBuilder().setPodSandboxId(id).build())
                .getStats()
                .getLinux();
        System.out.printf(
                "pod: cpu %d memory %d processes %d received by %s %d%n",
                pod.getCpu().getUsageCoreNanoSeconds().getValue(),
                pod.getMemory().getWorkingSetBytes().getValue(),
                pod.getProcess().getProcessCount().getValue(),
                pod.getNetwork().getDefaultInterface().getName(),
                pod.getNetwork().getDefaultInterface().getRxBytes().getValue());
        Set<String> announced = client
                .runtime()
                .listMetricDescriptors(ListMetricDescriptorsRequest.getDefaultInstance())
                .getDescriptorsList()
                .stream()
                .map(MetricDescriptor::getName)
                .collect(Collectors.toSet());
        Set<String> told = client
                .runtime()
                .listPodSandboxMetrics(ListPodSandboxMetricsRequest.getDefaultInstance())
                .getPodMetricsList()
                .stream()
                .flatMap(it -> Stream.concat(
                        it.getMetricsList().stream(),
                        it.getContainerMetricsList().stream().flatMap(one -> one.getMetricsList().stream())))
                .map(Metric::getName)
                .collect(Collectors.toCollection(TreeSet::new));
        System.out.printf("metrics: %d, not announced: %s%n", told.size(), minus(told, announced));
        System.out.println("announced only: " + minus(announced, told));
    }

    private static Set<String> minus(Set<String> all, Set<String> others) {
        Set<String> rest = new TreeSet<>(all);
        rest.removeAll(others);
        return rest;
    }

    /// node-vm.sh has a handler for it.
    private static void runWithCrun(SamplePod pod) throws InterruptedException {
        pod.run("crun");
        pod.createContainer();
        pod.startContainer();
        await(() -> !log(pod).isEmpty());
        pod.exec();
        System.out.println(
                "crun: memory " + pod.stats().getMemory().getWorkingSetBytes().getValue());
        System.out.print("crun: " + log(pod));
        pod.stopContainer();
        pod.stop();
        pod.remove();
    }

    /// A pod under an AppArmor profile, which is that of its pause process as well.
    private static void confine(SamplePod pod) throws IOException {
        pod.run();
        pod.createContainer();
        pod.startContainer();
        pod.exec();
        System.out.println("container under " + profile(server()));
        System.out.println("pod under " + profile(process(words -> words.length == 0, "/pause")));
        pod.stopContainer();
        pod.stop();
        pod.remove();
    }

    /// What the default profile forbids, and root of a container may do without it.
    private static void tryToWrite(CriClient client, Path logs) throws IOException {
        SamplePod unset = new SamplePod(client, SamplePod.Program.HELLO.with(BUSYBOX), logs);
        tryToWrite("no profile", unset);
        for (ProfileType type : List.of(ProfileType.RuntimeDefault, ProfileType.Unconfined)) {
            tryToWrite(
                    type.name(),
                    unset.confined(
                            SecurityProfile.newBuilder().setProfileType(type).build()));
        }
    }

    private static void tryToWrite(String asked, SamplePod pod) throws IOException {
        pod.run();
        pod.createContainer();
        pod.startContainer();
        System.out.printf(
                "%s: container %s, pod %s%n",
                asked, profile(server()), profile(process(words -> words.length == 0, "/pause")));
        for (String file : List.of("/proc/sys/vm/swappiness", "/proc/sys/kernel/shmmni", "/tmp/file")) {
            ExecSyncResponse written =
                    shell(pod, "mkdir -p /tmp; cat %1$s 2>/dev/null >/tmp/was; cat /tmp/was >%1$s".formatted(file));
            System.out.printf(
                    "%s: %s %s%n",
                    asked,
                    file,
                    written.getExitCode() == 0
                            ? "written"
                            : written.getStderr().toStringUtf8().strip());
        }
        System.out.printf(
                "%s: in exec %s, signal %d%n",
                asked,
                shell(pod, "cat /proc/self/attr/current")
                        .getStdout()
                        .toStringUtf8()
                        .strip(),
                shell(pod, "sleep 9 & kill $!").getExitCode());
        pod.stopContainer();
        pod.stop();
        pod.remove();
    }

    private static ExecSyncResponse shell(SamplePod pod, String script) {
        return pod.exec(List.of(BUSYBOX.toString(), "sh", "-c", script));
    }

    private static void refuse(SamplePod pod) {
        try {
            pod.run();
            System.out.println("a profile that is not loaded was not refused");
        } catch (StatusRuntimeException e) {
            System.out.println("refused: " + e.getStatus().getDescription());
        }
    }

    private static String profile(String pid) throws IOException {
        return Files.readString(Path.of("/proc", pid, "attr/current")).strip();
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
        return process(words -> words.length == 1 && words[0].equals("8080"), "");
    }

    /// @param ending of the program's path
    private static String process(Predicate<String[]> arguments, String ending) {
        return ProcessHandle.allProcesses()
                .filter(it -> it.info()
                        .command()
                        .filter(path -> path.endsWith(ending))
                        .isPresent())
                .filter(it -> arguments.test(it.info().arguments().orElse(new String[0])))
                .map(it -> Long.toString(it.pid()))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("a process of the pod is not there"));
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
