package dev.gantry.daemon;

import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.cri.runtime.v1.ContainerMetadata;
import dev.gantry.cri.runtime.v1.ContainerStatusRequest;
import dev.gantry.cri.runtime.v1.CreateContainerRequest;
import dev.gantry.cri.runtime.v1.ExecSyncRequest;
import dev.gantry.cri.runtime.v1.ExecSyncResponse;
import dev.gantry.cri.runtime.v1.ImageSpec;
import dev.gantry.cri.runtime.v1.LinuxContainerSecurityContext;
import dev.gantry.cri.runtime.v1.Mount;
import dev.gantry.cri.runtime.v1.PodSandboxConfig;
import dev.gantry.cri.runtime.v1.PodSandboxMetadata;
import dev.gantry.cri.runtime.v1.RemovePodSandboxRequest;
import dev.gantry.cri.runtime.v1.RunPodSandboxRequest;
import dev.gantry.cri.runtime.v1.SELinuxOption;
import dev.gantry.cri.runtime.v1.StartContainerRequest;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Runs inside the node VM for [SelinuxVmIT]: runs pods, prints how they and their files are labelled and what they can
/// do, removes them.
public final class VmSelinux {

    static final String IMAGE = "gantry.test/labels:latest";

    private static final Pattern PID = Pattern.compile("\"pid\": *([0-9]+)");
    private static final String SHARED = "/srv/shared";
    private static final String OF_THE_NODE = "/srv/node";

    private final CriClient client;
    private final List<String> pods = new ArrayList<>();

    private VmSelinux(CriClient client) {
        this.client = client;
    }

    public static void main(String[] arguments) throws IOException, InterruptedException {
        try (CriClient client = new CriClient(Path.of(arguments[0]))) {
            VmSelinux it = new VmSelinux(client);
            if (arguments[1].equals("with")) {
                it.withPolicy();
            } else {
                it.withoutPolicy();
            }
            it.removeAll();
        }
    }

    /// The policy of the node has no types for containers.
    private void withoutPolicy() throws IOException, InterruptedException {
        String container = start(run("plain", SELinuxOption.getDefaultInstance()), "plain", it -> {});
        System.out.println("no policy: " + shell(container, "cat /proc/self/attr/current"));
    }

    private void withPolicy() throws IOException, InterruptedException {
        String pod = run("one", SELinuxOption.getDefaultInstance());
        String one = start(pod, "one", VmSelinux::mounts);
        System.out.println("process: " + shell(one, "cat /proc/self/attr/current"));
        for (String path : List.of(
                "/",
                "/bin/busybox",
                "/etc/hosts",
                "/etc/hostname",
                "/etc/resolv.conf",
                "/dev",
                "/dev/shm",
                "/dev/pts",
                "/dev/mqueue",
                "/declared/file",
                "/image/bin/busybox",
                SHARED,
                SHARED + "/file",
                OF_THE_NODE + "/file")) {
            System.out.println("label of " + path + ": " + labelIn(one, path));
        }
        for (String command : List.of(
                "cat /etc/hosts /etc/hostname /etc/resolv.conf",
                "echo x >/file",
                "echo x >/dev/shm/file",
                "echo x >/declared/new",
                "/image/bin/busybox true",
                "cat " + SHARED + "/file",
                "echo x >" + SHARED + "/new",
                "cat " + OF_THE_NODE + "/file")) {
            System.out.println("one: " + command + ": " + outcome(one, command));
        }

        String two = start(run("two", SELinuxOption.getDefaultInstance()), "two", it -> it.addMounts(mount(SHARED)));
        System.out.println("other process: " + shell(two, "cat /proc/self/attr/current"));
        System.out.println("two: what another pod has relabelled: " + outcome(two, "cat " + SHARED + "/file"));

        String level = levelOf(one);
        String joining =
                run("joining", SELinuxOption.newBuilder().setLevel(level).build());
        String joined = start(joining, "joining", it -> it.addMounts(mount(SHARED)));
        System.out.println("joined: the same of a pod with its level: " + outcome(joined, "cat " + SHARED + "/file"));

        String again = start(pod, "again", it -> {});
        System.out.println("same level in a pod: " + levelOf(again).equals(level));

        String own = start(
                run("own", SELinuxOption.getDefaultInstance()),
                "own",
                it -> it.getLinuxBuilder()
                        .getSecurityContextBuilder()
                        .setSelinuxOptions(SELinuxOption.newBuilder().setLevel("s0:c1000,c1001")));
        System.out.println("level of its own: " + shell(own, "cat /proc/self/attr/current"));

        String privileged = start(
                runPrivileged(),
                "privileged",
                it -> it.getLinuxBuilder().getSecurityContextBuilder().setPrivileged(true));
        System.out.println("privileged: " + shell(privileged, "cat /proc/self/attr/current"));

        refuse("unknown_t");
        refuse("t,ro");
    }

    private static void mounts(ContainerConfig.Builder config) {
        config.addMounts(mount(SHARED).toBuilder().setSelinuxRelabel(true))
                .addMounts(mount(OF_THE_NODE))
                .addMounts(Mount.newBuilder()
                        .setImage(ImageSpec.newBuilder().setImage(IMAGE))
                        .setContainerPath("/image")
                        .setReadonly(true));
    }

    private static Mount mount(String path) {
        return Mount.newBuilder().setHostPath(path).setContainerPath(path).build();
    }

    private void refuse(String type) {
        try {
            run("refused", SELinuxOption.newBuilder().setType(type).build());
            System.out.println("not refused: " + type);
        } catch (StatusRuntimeException e) {
            System.out.println("refused: " + e.getMessage());
        }
    }

    private String run(String name, SELinuxOption label) {
        PodSandboxConfig.Builder config = config(name);
        config.getLinuxBuilder().getSecurityContextBuilder().setSelinuxOptions(label);
        return run(config.build());
    }

    private String runPrivileged() {
        PodSandboxConfig.Builder config = config("privileged");
        config.getLinuxBuilder().getSecurityContextBuilder().setPrivileged(true);
        return run(config.build());
    }

    private static PodSandboxConfig.Builder config(String name) {
        return PodSandboxConfig.newBuilder()
                .setMetadata(PodSandboxMetadata.newBuilder()
                        .setName(name)
                        .setNamespace("default")
                        .setUid(name))
                .setHostname(name);
    }

    private String run(PodSandboxConfig config) {
        String pod = client.runtime()
                .runPodSandbox(
                        RunPodSandboxRequest.newBuilder().setConfig(config).build())
                .getPodSandboxId();
        pods.add(pod);
        return pod;
    }

    private interface Change {
        void to(ContainerConfig.Builder config);
    }

    private String start(String pod, String name, Change change) {
        ContainerConfig.Builder config = ContainerConfig.newBuilder()
                .setMetadata(ContainerMetadata.newBuilder().setName(name))
                .setImage(ImageSpec.newBuilder().setImage(IMAGE))
                .addCommand("sh")
                .addArgs("-c")
                .addArgs("sleep 3600 # " + name);
        config.getLinuxBuilder().setSecurityContext(LinuxContainerSecurityContext.getDefaultInstance());
        change.to(config);
        String container = client.runtime()
                .createContainer(CreateContainerRequest.newBuilder()
                        .setPodSandboxId(pod)
                        .setConfig(config)
                        .setSandboxConfig(config(name))
                        .build())
                .getContainerId();
        var _ = client.runtime()
                .startContainer(StartContainerRequest.newBuilder()
                        .setContainerId(container)
                        .build());
        return container;
    }

    private ExecSyncResponse exec(String container, String script) {
        return client.runtime()
                .execSync(ExecSyncRequest.newBuilder()
                        .setContainerId(container)
                        .addAllCmd(List.of("sh", "-c", script))
                        .setTimeout(30)
                        .build());
    }

    private String shell(String container, String script) {
        ExecSyncResponse answer = exec(container, script);
        if (answer.getExitCode() != 0) {
            throw new IllegalStateException(script + ": " + answer.getStderr().toStringUtf8());
        }
        return answer.getStdout().toStringUtf8().replace("\0", "").strip();
    }

    private String outcome(String container, String script) {
        ExecSyncResponse answer = exec(container, script);
        return answer.getExitCode() == 0
                ? "done"
                : answer.getStderr().toStringUtf8().strip();
    }

    private String levelOf(String container) {
        return shell(container, "cat /proc/self/attr/current").split(":", 4)[3];
    }

    /// As the node sees it, whose `stat` knows labels.
    private String labelIn(String container, String path) throws IOException, InterruptedException {
        String pid = pidOf(container);
        return program("stat", "--format=%C", "/proc/" + pid + "/root" + path);
    }

    private String pidOf(String container) {
        String info = client.runtime()
                .containerStatus(ContainerStatusRequest.newBuilder()
                        .setContainerId(container)
                        .setVerbose(true)
                        .build())
                .getInfoOrThrow("info");
        Matcher pid = PID.matcher(info);
        if (!pid.find()) {
            throw new IllegalStateException("no pid in " + info);
        }
        return pid.group(1);
    }

    private static String program(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!process.waitFor(1, TimeUnit.MINUTES)) {
            throw new IllegalStateException(List.of(command) + " does not end");
        }
        return output.strip();
    }

    private void removeAll() {
        for (String pod : pods) {
            var _ = client.runtime()
                    .removePodSandbox(RemovePodSandboxRequest.newBuilder()
                            .setPodSandboxId(pod)
                            .build());
        }
    }
}
