package dev.gantry.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import dev.gantry.cri.runtime.v1.ImageServiceGrpc;
import dev.gantry.cri.runtime.v1.RuntimeServiceGrpc;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.PrototypeMarshaller;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

/// Every call of the contract with nothing in its request, with an id that nobody has, and with bytes that are no
/// request: the codes by which clients tell what to do next.
@ExtendWith(DistributionRequired.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CallCodesIT {

    private static final String UNKNOWN_ID = "f".repeat(64);

    /// What is asked of something that is not there.
    private static final Set<String> NOT_FOUND = Set.of(
            "PodSandboxStatus",
            "CreateContainer",
            "StartContainer",
            "ContainerStatus",
            "UpdateContainerResources",
            "UpdatePodSandboxResources",
            "ReopenContainerLog",
            "ExecSync",
            "Exec",
            "Attach",
            "PortForward",
            "ContainerStats",
            "PodSandboxStats");

    /// What says too little.
    private static final Set<String> INVALID = Set.of("RunPodSandbox", "PullImage");

    private static final Set<String> UNIMPLEMENTED = Set.of("CheckpointContainer", "CheckpointPod", "RestorePod");

    /// It ends only with its client.
    private static final String ENDLESS = "GetContainerEvents";

    private ChildNode node;

    @BeforeAll
    void start() throws IOException {
        node = ChildNode.started();
    }

    @AfterAll
    void close() throws IOException {
        node.close();
    }

    private static Stream<MethodDescriptor<?, ?>> calls() {
        return Stream.of(RuntimeServiceGrpc.getServiceDescriptor(), ImageServiceGrpc.getServiceDescriptor())
                .flatMap(it -> it.getMethods().stream());
    }

    private static String name(MethodDescriptor<?, ?> call) {
        return String.valueOf(call.getBareMethodName());
    }

    private static Map<String, Status.Code> expected() {
        return calls().map(CallCodesIT::name)
                .filter(it -> !it.equals(ENDLESS))
                .collect(Collectors.toMap(
                        it -> it,
                        it -> NOT_FOUND.contains(it)
                                ? Status.Code.NOT_FOUND
                                : INVALID.contains(it)
                                        ? Status.Code.INVALID_ARGUMENT
                                        : UNIMPLEMENTED.contains(it) ? Status.Code.UNIMPLEMENTED : Status.Code.OK,
                        (one, _) -> one,
                        TreeMap::new));
    }

    private Map<String, Status.Code> codes(Function<MethodDescriptor<?, ?>, byte[]> request) {
        Map<String, Status.Code> codes = new TreeMap<>();
        calls().filter(it -> !name(it).equals(ENDLESS)).forEach(it -> codes.put(name(it), code(it, request.apply(it))));
        return codes;
    }

    private Status.Code code(MethodDescriptor<?, ?> call, byte[] request) {
        MethodDescriptor<byte[], byte[]> raw =
                call.toBuilder(new Bytes(), new Bytes()).build();
        Channel channel = node.client().runtime().getChannel();
        CallOptions options = CallOptions.DEFAULT.withDeadlineAfter(60, TimeUnit.SECONDS);
        try {
            if (call.getType() == MethodDescriptor.MethodType.SERVER_STREAMING) {
                ClientCalls.blockingServerStreamingCall(channel, raw, options, request)
                        .forEachRemaining(answer -> assertThat(answer).isNotNull());
            } else {
                var _ = ClientCalls.blockingUnaryCall(channel, raw, options, request);
            }
            return Status.Code.OK;
        } catch (StatusRuntimeException e) {
            assertThat(e.getStatus().getDescription()).as(name(call)).isNotBlank();
            return e.getStatus().getCode();
        }
    }

    private static final class Bytes implements MethodDescriptor.Marshaller<byte[]> {

        @Override
        public InputStream stream(byte[] value) {
            return new ByteArrayInputStream(value);
        }

        @Override
        public byte[] parse(InputStream stream) {
            try {
                return stream.readAllBytes();
            } catch (IOException e) {
                throw Status.INTERNAL.withCause(e).asRuntimeException();
            }
        }
    }

    @Test
    void ofRequestsWithNothingInThem() {
        assertThat(codes(_ -> new byte[0])).isEqualTo(expected());
    }

    @Test
    void ofIdsThatNobodyHas() {
        assertThat(codes(CallCodesIT::withUnknownId)).isEqualTo(expected());
    }

    private static byte[] withUnknownId(MethodDescriptor<?, ?> call) {
        Message prototype = (Message) ((PrototypeMarshaller<?>) call.getRequestMarshaller()).getMessagePrototype();
        if (prototype == null) {
            throw new IllegalStateException(call + " has no message");
        }
        Message.Builder request = prototype.newBuilderForType();
        for (FieldDescriptor field : prototype.getDescriptorForType().getFields()) {
            if (List.of("pod_sandbox_id", "container_id").contains(field.getName())) {
                request.setField(field, UNKNOWN_ID);
            }
        }
        return request.build().toByteArray();
    }

    @Test
    void ofBytesThatAreNoRequest() {
        byte[] endlessVarint = new byte[20];
        Arrays.fill(endlessVarint, (byte) 0xff);

        // The gRPC library refuses them before any of our code sees them.
        assertThat(codes(_ -> endlessVarint).values()).containsOnly(Status.Code.UNKNOWN);

        assertThat(codes(_ -> new byte[0])).containsEntry("Version", Status.Code.OK);
    }
}
