package dev.gantry.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ManifestReaderTest {

    private static final String SMALL = """
            apiVersion: v1
            kind: Pod
            metadata:
              name: small
            spec:
              containers:
              - name: one
                image: registry.test/app:1
            """;

    private static String problem(String text) {
        try {
            PodCheck.check(ManifestReader.read("pod.yaml", text));
        } catch (CliException.BadManifest e) {
            return e.sentence();
        }
        return "";
    }

    private static String with(String lines) {
        return SMALL + lines.indent(4);
    }

    @Test
    void readsAPodThroughTheModel() {
        var pod = ManifestReader.read("pod.yaml", SMALL).pod();

        assertThat(pod.getMetadata().getName()).isEqualTo("small");
        assertThat(pod.getSpec().getContainers()).hasSize(1);
        assertThat(problem(SMALL)).isEmpty();
    }

    @Test
    void readsJsonAsWell() {
        var pod = ManifestReader.read("pod.json", """
                        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"},
                         "spec": {"containers": [{"name": "a", "image": "b"}]}}
                        """).pod();

        assertThat(pod.getSpec().getContainers().getFirst().getImage()).isEqualTo("b");
    }

    @Test
    void namesUnknownAndUnsupportedFieldsAllAtOnceWithTheirPlaces() {
        String text = with("""
                imagee: typo
                livenessProbe:
                  httpGet:
                    port: 80
                env:
                - name: A
                  valueFrom:
                    secretKeyRef:
                      name: s
                      key: k
                """) + "  nodeSelector:\n    disk: ssd\n  bogus: 1\nstatus:\n  phase: Running\n";

        assertThat(problem(text)).isEqualTo("""
                        pod.yaml:9:5: spec.containers[0].imagee is no field of a Pod
                        pod.yaml:10:5: spec.containers[0].livenessProbe is not supported
                        pod.yaml:16:9: spec.containers[0].env[0].valueFrom.secretKeyRef is not supported
                        pod.yaml:19:3: spec.nodeSelector is not supported
                        pod.yaml:21:3: spec.bogus is no field of a Pod
                        pod.yaml:22:1: status is not supported""");
    }

    @Test
    void fieldsWithoutContentAskForNothing() {
        assertThat(problem(with("securityContext: {}\nlivenessProbe: {}\nports: []\nlifecycle:\n")))
                .isEmpty();
    }

    @Test
    void fieldsThatOnlyHaveOneHarmlessValueAreTakenAtThat() {
        assertThat(problem(SMALL + "  enableServiceLinks: false\n  schedulerName: default-scheduler\n"))
                .isEmpty();
        assertThat(problem(SMALL + "  enableServiceLinks: true\n"))
                .isEqualTo("pod.yaml:9:3: spec.enableServiceLinks can only be false, not true");
        assertThat(problem(SMALL + "  dnsPolicy: ClusterFirst\n"))
                .isEqualTo("pod.yaml:9:3: spec.dnsPolicy can only be Default or None, not ClusterFirst");
    }

    @Test
    void malformedTextIsToldWithLineAndColumn() {
        assertThat(problem("apiVersion: v1\nkind: [Pod\nmetadata: x\n")).startsWith("pod.yaml:3:");
        assertThat(problem("a: b: c\n")).startsWith("pod.yaml:1:5: ");
        assertThat(problem("kind: Pod\nkind: Pod\n"))
                .startsWith("pod.yaml:2:1: ")
                .contains("kind");
        assertThat(problem("")).isEqualTo("pod.yaml:1:1: the file is empty");
        assertThat(problem("just a word\n")).contains("no Pod manifest");
    }

    @Test
    void severalDocumentsAndOtherKindsAreRefused() {
        assertThat(problem(SMALL + "---\n" + SMALL)).startsWith("pod.yaml:10:1: a second document begins here");
        assertThat(problem("---\n" + SMALL + "---\n# nothing\n")).isEmpty();
        assertThat(problem("apiVersion: apps/v1\nkind: Deployment\n"))
                .isEqualTo(
                        "pod.yaml:2:1: only kind Pod of apiVersion v1 can be run, this is kind Deployment of apiVersion apps/v1");
    }

    @Test
    void hostileYamlIsRefused() {
        assertThat(problem("kind: &a [*a]\n")).startsWith("pod.yaml:1:");
        assertThat(problem("kind: " + "[".repeat(100) + "]".repeat(100))).startsWith("pod.yaml:1:");
        String bomb = """
                a: &a [x,x,x,x,x,x,x,x,x]
                b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]
                c: &c [*b,*b,*b,*b,*b,*b,*b,*b]
                d: &d [*c,*c,*c,*c,*c,*c,*c,*c]
                e: &e [*d,*d,*d,*d,*d,*d,*d,*d]
                f: [*e,*e,*e,*e,*e,*e,*e]
                """;
        assertThat(problem(bomb)).contains("too many values");
        assertThat(problem("a: !!java.lang.Runtime {}\nkind: Pod\napiVersion: v1\n"))
                .contains("a is no field");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "workingDir: 5 | spec.containers[0].workingDir",
                "tty: 'yes' | spec.containers[0].tty",
                "env: [{name: A, value: 5}] | spec.containers[0].env[0].value",
                "ports: [{containerPort: eighty}] | spec.containers[0].ports[0].containerPort",
                "args: text | spec.containers[0].args",
            })
    void valuesOfAnotherTypeAreRefusedAtTheirPlace(String line, String path) {
        assertThat(problem(with(line))).matches("(?s)pod.yaml:9:\\d+: \\Q" + path + "\\E.*");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "ports: [{containerPort: 70000}] | ports[0].containerPort has to be a port",
                "volumeMounts: [{name: none, mountPath: /x}] | volumeMounts[0].name is none, which is no volume",
                "env: [{name: 'A=B', value: x}] | env[0].name is no name",
                "env: [{name: A, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}] | cannot be spec.nodeName here",
                "resources: {limits: {cpu: lots}} | resources.limits.cpu is",
                "resources: {limits: {cpu: 1}, requests: {cpu: 2}} | requests.cpu is more than the limit",
                "resources: {limits: {memory: -1Mi}} | is negative",
                "imagePullPolicy: Sometimes | imagePullPolicy can only be",
            })
    void valuesThatAnApiServerWouldRefuseAreRefused(String line, String expected) {
        assertThat(problem(with(line))).contains(expected);
    }

    @ParameterizedTest
    @ValueSource(strings = {"Upper", "-dash", "under_score", "", "a/b", "../x"})
    void namesAreChecked(String name) {
        assertThat(problem(SMALL.replace("name: small", "name: \"" + name + "\"")))
                .contains("metadata.name");
        assertThat(problem(SMALL.replace("name: one", "name: \"" + name + "\"")))
                .contains("spec.containers[0].name");
    }

    @Test
    void volumesNeedOneKindAndGoodPaths() {
        assertThat(problem(SMALL + "  volumes:\n  - name: a\n")).contains("needs either emptyDir or hostPath");
        assertThat(problem(SMALL + "  volumes:\n  - name: a\n    hostPath: {path: relative}\n"))
                .contains("has to be an absolute path");
        assertThat(problem(SMALL + "  volumes:\n  - name: a\n    hostPath: {path: /a/../b}\n"))
                .contains("must not contain ..");
        assertThat(problem(SMALL + "  volumes:\n  - name: a\n    hostPath: {path: /a, type: Folder}\n"))
                .contains("no type of hostPath");
        assertThat(problem(SMALL + "  volumes:\n  - {name: a, emptyDir: {}}\n  - {name: a, emptyDir: {}}\n"))
                .contains("is there twice: a");
    }

    @Test
    void filesThatCannotBeReadAreAUsageError(@TempDir Path directory) throws IOException {
        assertThatThrownBy(() -> ManifestReader.read(directory.resolve("none.yaml")))
                .isInstanceOf(CliException.Usage.class)
                .hasMessageContaining("there is no file");
        Path binary = Files.write(directory.resolve("binary"), new byte[] {(byte) 0xff, 0, (byte) 0xfe});
        assertThatThrownBy(() -> ManifestReader.read(binary)).hasMessageContaining("is not UTF-8");
    }
}
