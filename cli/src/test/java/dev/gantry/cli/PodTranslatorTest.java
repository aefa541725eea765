package dev.gantry.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.cri.runtime.v1.DNSConfig;
import dev.gantry.cri.runtime.v1.Image;
import dev.gantry.cri.runtime.v1.Int64Value;
import dev.gantry.cri.runtime.v1.LinuxContainerSecurityContext;
import dev.gantry.cri.runtime.v1.Mount;
import dev.gantry.cri.runtime.v1.MountPropagation;
import dev.gantry.cri.runtime.v1.NamespaceMode;
import dev.gantry.cri.runtime.v1.PodSandboxConfig;
import dev.gantry.cri.runtime.v1.PortMapping;
import dev.gantry.cri.runtime.v1.Protocol;
import dev.gantry.cri.runtime.v1.SecurityProfile.ProfileType;
import dev.gantry.cri.runtime.v1.SupplementalGroupsPolicy;
import io.fabric8.kubernetes.api.model.Pod;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PodTranslatorTest {

    private static final PodTranslator.Node NODE =
            new PodTranslator.Node(8L << 30, List.of("nameserver 10.0.0.1", "search corp.test", "options ndots:2"));
    private static final PodTranslator.Situation SITUATION = new PodTranslator.Situation(
            "10.88.0.7", Map.of("data", "/var/lib/gantry/volumes/data", "host", "/srv/host"));
    private static final Image IMAGE = FakeNode.image("registry.test/app:1", "ab");

    private static final String FULL = """
            apiVersion: v1
            kind: Pod
            metadata:
              name: full
              namespace: testing
              labels: {app: web, app.kubernetes.io/name: full}
              annotations: {note: "a note"}
            spec:
              hostname: host-of-full
              terminationGracePeriodSeconds: 5
              restartPolicy: OnFailure
              shareProcessNamespace: true
              dnsConfig:
                nameservers: [192.0.2.53]
                options: [{name: ndots, value: "5"}, {name: edns0}]
              securityContext:
                runAsUser: 1000
                runAsGroup: 2000
                supplementalGroups: [3000]
                supplementalGroupsPolicy: Strict
                sysctls: [{name: net.core.somaxconn, value: "1024"}]
              volumes:
              - {name: data, emptyDir: {medium: Memory, sizeLimit: 1Mi}}
              - {name: host, hostPath: {path: /srv/host, type: Directory}}
              initContainers:
              - name: prepare
                image: registry.test/app:1
              containers:
              - name: server
                image: registry.test/app:1
                command: [/serve, "$(PORT)"]
                args: ["--url=$(URL)", "$$(PORT)", "$(UNKNOWN)"]
                workingDir: /work
                env:
                - {name: PORT, value: "8080"}
                - {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
                - {name: URL, value: "http://$(IP):$(PORT)/$(LATER)"}
                - {name: LATER, value: x}
                - {name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
                - {name: APP, valueFrom: {fieldRef: {fieldPath: "metadata.labels['app']"}}}
                ports:
                - {containerPort: 8080, hostPort: 18080, hostIP: 127.0.0.1}
                - {containerPort: 53, protocol: UDP, hostPort: 1053}
                - {containerPort: 9090}
                volumeMounts:
                - {name: data, mountPath: /data}
                - {name: host, mountPath: host, readOnly: true, mountPropagation: HostToContainer}
                resources:
                  requests: {cpu: 250m, memory: 1Gi}
                  limits: {cpu: 500m, memory: 1Gi}
                securityContext:
                  runAsUser: 1001
                  allowPrivilegeEscalation: false
                  readOnlyRootFilesystem: true
                  capabilities: {add: [NET_ADMIN], drop: [ALL]}
                  seccompProfile: {type: Localhost, localhostProfile: profiles/x.json}
                tty: true
                stdin: true
            """;

    private static Pod pod(String text) {
        Manifest manifest = ManifestReader.read("pod.yaml", text);
        PodCheck.check(manifest);
        return manifest.pod();
    }

    private static PodTranslator translator(Pod pod) {
        return new PodTranslator(pod, "the-uid", NODE);
    }

    private static ContainerConfig first(String text, Image image) {
        Pod pod = pod(text);
        return translator(pod).container(pod.getSpec().getContainers().getFirst(), 0, image, SITUATION);
    }

    private static String small(String container) {
        return """
                apiVersion: v1
                kind: Pod
                metadata: {name: small, namespace: default}
                spec:
                  containers:
                  - name: one
                    image: registry.test/app:1
                """ + container.indent(4);
    }

    private static LinuxContainerSecurityContext security(String container, Image image) {
        return first(small(container), image).getLinux().getSecurityContext();
    }

    private static Int64Value number(long value) {
        return Int64Value.newBuilder().setValue(value).build();
    }

    @Test
    void theSandboxHasNamesLabelsPortsDnsAndSysctls() {
        PodSandboxConfig sandbox = translator(pod(FULL)).sandbox("/logs/full");

        assertThat(sandbox.getMetadata().getName()).isEqualTo("full");
        assertThat(sandbox.getMetadata().getNamespace()).isEqualTo("testing");
        assertThat(sandbox.getMetadata().getUid()).isEqualTo("the-uid");
        assertThat(sandbox.getHostname()).isEqualTo("host-of-full");
        assertThat(sandbox.getLogDirectory()).isEqualTo("/logs/full");
        assertThat(sandbox.getLabelsMap())
                .isEqualTo(Map.of(
                        "app", "web",
                        "app.kubernetes.io/name", "full",
                        "io.kubernetes.pod.name", "full",
                        "io.kubernetes.pod.namespace", "testing",
                        "io.kubernetes.pod.uid", "the-uid"));
        assertThat(sandbox.getAnnotationsMap()).isEqualTo(Map.of("note", "a note"));
        assertThat(sandbox.getPortMappingsList())
                .containsExactly(
                        PortMapping.newBuilder()
                                .setContainerPort(8080)
                                .setHostPort(18080)
                                .setHostIp("127.0.0.1")
                                .build(),
                        PortMapping.newBuilder()
                                .setContainerPort(53)
                                .setHostPort(1053)
                                .setProtocol(Protocol.UDP)
                                .build());
        assertThat(sandbox.getDnsConfig())
                .isEqualTo(DNSConfig.newBuilder()
                        .addServers("10.0.0.1")
                        .addServers("192.0.2.53")
                        .addSearches("corp.test")
                        .addOptions("ndots:5")
                        .addOptions("edns0")
                        .build());
        assertThat(sandbox.getLinux().getSysctlsMap()).isEqualTo(Map.of("net.core.somaxconn", "1024"));
        assertThat(sandbox.getLinux().getSecurityContext().getRunAsUser()).isEqualTo(number(1000));
        assertThat(sandbox.getLinux().getSecurityContext().getNamespaceOptions().getPid())
                .isEqualTo(NamespaceMode.POD);
    }

    @Test
    void theContainerHasWhatTheManifestSays() {
        ContainerConfig config = first(FULL, IMAGE);

        assertThat(config.getMetadata().getName()).isEqualTo("server");
        assertThat(config.getImage().getImage()).isEqualTo(IMAGE.getId());
        assertThat(config.getImage().getUserSpecifiedImage()).isEqualTo("registry.test/app:1");
        assertThat(config.getCommandList()).containsExactly("/serve", "8080");
        assertThat(config.getArgsList())
                .containsExactly("--url=http://10.88.0.7:8080/$(LATER)", "$(PORT)", "$(UNKNOWN)");
        assertThat(config.getWorkingDir()).isEqualTo("/work");
        assertThat(config.getEnvsList().stream()
                        .map(e -> e.getKey() + "=" + e.getValue().toStringUtf8()))
                .containsExactly(
                        "PORT=8080",
                        "IP=10.88.0.7",
                        "URL=http://10.88.0.7:8080/$(LATER)",
                        "LATER=x",
                        "POD=full",
                        "APP=web");
        assertThat(config.getMountsList())
                .containsExactly(
                        Mount.newBuilder()
                                .setContainerPath("/data")
                                .setHostPath("/var/lib/gantry/volumes/data")
                                .build(),
                        Mount.newBuilder()
                                .setContainerPath("/host")
                                .setHostPath("/srv/host")
                                .setReadonly(true)
                                .setPropagation(MountPropagation.PROPAGATION_HOST_TO_CONTAINER)
                                .build());
        assertThat(config.getLogPath()).isEqualTo("server/0.log");
        assertThat(config.getTty()).isTrue();
        assertThat(config.getStdin()).isTrue();
        assertThat(config.getLabelsMap())
                .containsEntry("io.kubernetes.container.name", "server")
                .containsEntry("io.kubernetes.pod.uid", "the-uid");
    }

    @Test
    void theContainersOwnSecurityGoesBeforeThePods() {
        LinuxContainerSecurityContext security = first(FULL, IMAGE).getLinux().getSecurityContext();

        assertThat(security.getRunAsUser()).isEqualTo(number(1001));
        assertThat(security.getRunAsGroup()).isEqualTo(number(2000));
        assertThat(security.getSupplementalGroupsList()).containsExactly(3000L);
        assertThat(security.getSupplementalGroupsPolicy()).isEqualTo(SupplementalGroupsPolicy.Strict);
        assertThat(security.getNoNewPrivs()).isTrue();
        assertThat(security.getReadonlyRootfs()).isTrue();
        assertThat(security.getCapabilities().getAddCapabilitiesList()).containsExactly("NET_ADMIN");
        assertThat(security.getCapabilities().getDropCapabilitiesList()).containsExactly("ALL");
        assertThat(security.getSeccomp().getProfileType()).isEqualTo(ProfileType.Localhost);
        assertThat(security.getSeccomp().getLocalhostRef()).isEqualTo("profiles/x.json");
        assertThat(security.getMaskedPathsList()).contains("/proc/kcore");
        assertThat(security.getReadonlyPathsList()).contains("/proc/sys");
    }

    @Test
    void resourcesAreThoseOfTheKubelet() {
        var resources = first(FULL, IMAGE).getLinux().getResources();

        assertThat(resources.getCpuShares()).isEqualTo(256);
        assertThat(resources.getCpuQuota()).isEqualTo(50_000);
        assertThat(resources.getMemoryLimitInBytes()).isEqualTo(1L << 30);
        assertThat(resources.getOomScoreAdj()).isEqualTo(1000 - 125);
    }

    @Test
    void aSmallPodGetsTheDefaults() {
        Pod pod = pod(small(""));
        PodSandboxConfig sandbox = translator(pod).sandbox("/logs");
        ContainerConfig config = first(small(""), IMAGE);

        assertThat(sandbox.getHostname()).isEqualTo("small");
        assertThat(sandbox.hasDnsConfig()).isFalse();
        assertThat(config.getLinux().getSecurityContext().getSeccomp().getProfileType())
                .isEqualTo(ProfileType.RuntimeDefault);
        assertThat(config.getLinux().getSecurityContext().getNoNewPrivs()).isFalse();
        assertThat(config.getLinux().getSecurityContext().getNamespaceOptions().getPid())
                .isEqualTo(NamespaceMode.CONTAINER);
        assertThat(config.getCommandList()).isEmpty();
    }

    @Test
    void privilegedMeansUnconfinedAndUnmaskedAndThePodKnows() {
        String text = small("securityContext: {privileged: true}");
        LinuxContainerSecurityContext security = security("securityContext: {privileged: true}", IMAGE);

        assertThat(security.getPrivileged()).isTrue();
        assertThat(security.getSeccomp().getProfileType()).isEqualTo(ProfileType.Unconfined);
        assertThat(security.getMaskedPathsList()).isEmpty();
        assertThat(translator(pod(text))
                        .sandbox("/logs")
                        .getLinux()
                        .getSecurityContext()
                        .getPrivileged())
                .isTrue();
    }

    @Test
    void hostNetworkHasNoHostnameAndNoMappings() {
        PodSandboxConfig sandbox = translator(pod(FULL.replace("  hostname: host-of-full", "  hostNetwork: true")))
                .sandbox("/logs");

        assertThat(sandbox.getHostname()).isEmpty();
        assertThat(sandbox.getPortMappingsList()).isEmpty();
        assertThat(sandbox.getLinux().getSecurityContext().getNamespaceOptions().getNetwork())
                .isEqualTo(NamespaceMode.NODE);
    }

    @Test
    void theUserOfTheImageIsTakenWhereTheManifestNamesNone() {
        Image numeric = IMAGE.toBuilder().setUid(number(65532)).build();
        Image named = IMAGE.toBuilder().setUsername("nobody").build();

        assertThat(security("", numeric).getRunAsUser()).isEqualTo(number(65532));
        assertThat(security("", named).getRunAsUsername()).isEqualTo("nobody");
        assertThat(security("", IMAGE).hasRunAsUser()).isFalse();
    }

    @Test
    void runAsNonRootIsCheckedAgainstTheImage() {
        String nonRoot = "securityContext: {runAsNonRoot: true}";
        Image numeric = IMAGE.toBuilder().setUid(number(65532)).build();
        Image named = IMAGE.toBuilder().setUsername("nobody").build();

        assertThat(security(nonRoot, numeric).getRunAsUser()).isEqualTo(number(65532));
        assertThatThrownBy(() -> security(nonRoot, IMAGE))
                .hasMessage("container one must not run as root, but its image does");
        assertThatThrownBy(() -> security(nonRoot, named)).hasMessageContaining("user nobody of its image");
        assertThatThrownBy(() -> security("securityContext: {runAsNonRoot: true, runAsUser: 0}", numeric))
                .hasMessage("container one must not run as root, but its runAsUser is 0");
    }
}
