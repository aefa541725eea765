package dev.gantry.cri;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import dev.gantry.cri.cgroups.v1.MetricsProto;
import dev.gantry.cri.containerd.events.ContainerProto;
import dev.gantry.cri.containerd.events.ContentProto;
import dev.gantry.cri.containerd.events.NamespaceProto;
import dev.gantry.cri.containerd.events.SnapshotProto;
import dev.gantry.cri.containerd.events.TaskProto;
import dev.gantry.cri.containerd.runc.v1.OciProto;
import dev.gantry.cri.containerd.runtime.bootstrap.v1.BootstrapProto;
import dev.gantry.cri.containerd.services.events.ttrpc.v1.EventsProto;
import dev.gantry.cri.containerd.services.images.v1.ImageProto;
import dev.gantry.cri.containerd.types.EventProto;
import dev.gantry.cri.containerd.types.MountProto;
import dev.gantry.cri.containerd.types.PlatformProto;
import dev.gantry.cri.gantry.shim.v1.StreamsProto;
import dev.gantry.cri.gantry.v1.GantryProto;
import dev.gantry.cri.google.rpc.StatusProto;
import dev.gantry.cri.runtime.v1.AuthConfig;
import dev.gantry.cri.runtime.v1.RuntimeApiProto;
import dev.gantry.cri.runtimeoptions.v1.ApiProto;
import dev.gantry.cri.ttrpc.RequestProto;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// The generated code speaks the contracts of the tables in `wire/`, in both directions: every row of a table is
/// there, and nothing that is in no table.
///
/// A table has rows of five kinds, tab-separated: `file path package=P syntax=S`, `rpc service name request response`,
/// `enum type name number`, `field message number name type extras` and `msg message` for one without fields.
class WireContractTest {

    static Stream<Arguments> contracts() {
        return Stream.of(
                Arguments.of("cri-v1.tsv", List.of(RuntimeApiProto.getDescriptor())),
                Arguments.of(
                        "cgroups.tsv",
                        List.of(MetricsProto.getDescriptor(), dev.gantry.cri.cgroups.v2.MetricsProto.getDescriptor())),
                Arguments.of("shim.tsv", shim()),
                Arguments.of("gantry-v1.tsv", List.of(GantryProto.getDescriptor())),
                Arguments.of("gantry-shim-v1.tsv", List.of(StreamsProto.getDescriptor())));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("contracts")
    void matchesItsTableRowByRow(String table, List<FileDescriptor> files) throws IOException {
        List<String> compiled = files.stream().flatMap(WireContractTest::rows).toList();

        assertThat(new TreeSet<>(compiled)).hasSameSizeAs(compiled);
        assertThat(compiled).containsExactlyInAnyOrderElementsOf(table(table));
    }

    @Test
    void marksCredentialsAsNotToBeShown() {
        for (String secret : List.of("password", "auth", "identity_token", "registry_token")) {
            FieldDescriptor field = AuthConfig.getDescriptor().findFieldByName(secret);
            assertThat(field.getOptions().getDebugRedact()).as(secret).isTrue();
        }
    }

    private static List<FileDescriptor> shim() {
        return List.of(
                MountProto.getDescriptor(),
                dev.gantry.cri.containerd.v1.types.TaskProto.getDescriptor(),
                dev.gantry.cri.containerd.task.v2.ShimProto.getDescriptor(),
                dev.gantry.cri.containerd.task.v3.ShimProto.getDescriptor(),
                dev.gantry.cri.containerd.types.MetricsProto.getDescriptor(),
                PlatformProto.getDescriptor(),
                dev.gantry.cri.containerd.types.SandboxProto.getDescriptor(),
                dev.gantry.cri.containerd.runtime.sandbox.v1.SandboxProto.getDescriptor(),
                BootstrapProto.getDescriptor(),
                OciProto.getDescriptor(),
                ApiProto.getDescriptor(),
                TaskProto.getDescriptor(),
                ContainerProto.getDescriptor(),
                ImageProto.getDescriptor(),
                ContentProto.getDescriptor(),
                NamespaceProto.getDescriptor(),
                SnapshotProto.getDescriptor(),
                dev.gantry.cri.containerd.events.SandboxProto.getDescriptor(),
                EventProto.getDescriptor(),
                EventsProto.getDescriptor(),
                RequestProto.getDescriptor(),
                StatusProto.getDescriptor());
    }

    private static List<String> table(String name) throws IOException {
        try (InputStream in = Objects.requireNonNull(WireContractTest.class.getResourceAsStream("/wire/" + name));
                var reader = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
            return reader.lines().toList();
        }
    }

    private static Stream<String> rows(FileDescriptor file) {
        List<String> rows = new ArrayList<>();
        String syntax = file.toProto().getSyntax();
        rows.add(row("file", file.getName(), "package=" + file.getPackage(), "syntax=" + syntax));
        for (ServiceDescriptor service : file.getServices()) {
            for (MethodDescriptor rpc : service.getMethods()) {
                String request =
                        streaming(rpc.isClientStreaming()) + rpc.getInputType().getFullName();
                String response =
                        streaming(rpc.isServerStreaming()) + rpc.getOutputType().getFullName();
                rows.add(row("rpc", service.getFullName(), rpc.getName(), request, response));
            }
        }
        file.getEnumTypes().forEach(type -> addEnum(type, rows));
        file.getMessageTypes().forEach(type -> addMessage(type, rows));
        return rows.stream();
    }

    private static void addEnum(EnumDescriptor type, List<String> rows) {
        type.getValues()
                .forEach(value -> rows.add(row("enum", type.getFullName(), value.getName(), "" + value.getNumber())));
    }

    private static void addMessage(Descriptor message, List<String> rows) {
        if (message.getOptions().getMapEntry()) {
            return;
        }
        if (message.getFields().isEmpty()) {
            rows.add(row("msg", message.getFullName()));
        }
        for (FieldDescriptor field : message.getFields()) {
            rows.add(row(
                    "field",
                    message.getFullName(),
                    "" + field.getNumber(),
                    field.getName(),
                    type(field),
                    extras(field)));
        }
        message.getEnumTypes().forEach(type -> addEnum(type, rows));
        message.getNestedTypes().forEach(type -> addMessage(type, rows));
    }

    private static String type(FieldDescriptor field) {
        if (field.isMapField()) {
            Descriptor entry = field.getMessageType();
            return "map<%s,%s>".formatted(type(entry.findFieldByNumber(1)), type(entry.findFieldByNumber(2)));
        }
        String single = switch (field.getJavaType()) {
            case MESSAGE -> field.getMessageType().getFullName();
            case ENUM -> field.getEnumType().getFullName();
            default -> field.getType().name().toLowerCase(Locale.ROOT);
        };
        return field.isRepeated() ? "repeated " + single : single;
    }

    private static String extras(FieldDescriptor field) {
        List<String> extras = new ArrayList<>();
        if (field.getRealContainingOneof() != null) {
            extras.add("oneof " + field.getRealContainingOneof().getName());
        }
        if (field.toProto().getProto3Optional()) {
            extras.add("optional");
        }
        if (field.getOptions().getDeprecated()) {
            extras.add("deprecated");
        }
        return String.join(" ", extras);
    }

    private static String streaming(boolean streams) {
        return streams ? "stream " : "";
    }

    private static String row(String... columns) {
        return String.join("\t", columns).stripTrailing();
    }
}
