package dev.gantry.runtime;

import dev.gantry.cri.runtime.v1.RuntimeServiceGrpc;
import io.grpc.MethodDescriptor;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.ServerCalls;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/// The list calls of the RuntimeService, whole or as streams, in place of those that gRPC generates: they answer bytes
/// that are encoded already.
final class ListCalls {

    private final Map<String, ServerMethodDefinition<?, ?>> methods = new LinkedHashMap<>();

    ListCalls(Lists lists) {
        whole(RuntimeServiceGrpc.getListPodSandboxMethod(), it -> lists.sandboxesTogether(it.getFilter()));
        whole(RuntimeServiceGrpc.getListContainersMethod(), it -> lists.containersTogether(it.getFilter()));
        whole(
                RuntimeServiceGrpc.getListContainerStatsMethod(),
                it -> Lists.together(lists.containerStats(it.getFilter())));
        whole(RuntimeServiceGrpc.getListPodSandboxStatsMethod(), it -> Lists.together(lists.podStats(it.getFilter())));
        whole(RuntimeServiceGrpc.getListPodSandboxMetricsMethod(), _ -> Lists.together(lists.podMetrics()));
        stream(RuntimeServiceGrpc.getStreamPodSandboxesMethod(), it -> lists.sandboxes(it.getFilter()));
        stream(RuntimeServiceGrpc.getStreamContainersMethod(), it -> lists.containers(it.getFilter()));
        stream(RuntimeServiceGrpc.getStreamContainerStatsMethod(), it -> lists.containerStats(it.getFilter()));
        stream(RuntimeServiceGrpc.getStreamPodSandboxStatsMethod(), it -> lists.podStats(it.getFilter()));
        stream(RuntimeServiceGrpc.getStreamPodSandboxMetricsMethod(), _ -> lists.podMetrics());
    }

    /// The service with these calls in place of its own.
    ServerServiceDefinition in(ServerServiceDefinition service) {
        List<ServerMethodDefinition<?, ?>> all = new ArrayList<>();
        for (ServerMethodDefinition<?, ?> method : service.getMethods()) {
            all.add(methods.getOrDefault(method.getMethodDescriptor().getFullMethodName(), method));
        }
        ServiceDescriptor.Builder descriptor =
                ServiceDescriptor.newBuilder(service.getServiceDescriptor().getName());
        all.forEach(it -> descriptor.addMethod(it.getMethodDescriptor()));
        ServerServiceDefinition.Builder definition = ServerServiceDefinition.builder(descriptor.build());
        all.forEach(definition::addMethod);
        return definition.build();
    }

    private <Q> void whole(MethodDescriptor<Q, ?> method, Function<Q, List<byte[]>> list) {
        String name = String.valueOf(method.getBareMethodName());
        methods.put(
                method.getFullMethodName(),
                ServerMethodDefinition.create(
                        encoded(method),
                        ServerCalls.asyncUnaryCall((request, client) ->
                                CallWorker.answer(client, name, () -> new EncodedItems(list.apply(request))))));
    }

    private <Q> void stream(MethodDescriptor<Q, ?> method, Function<Q, Iterator<byte[]>> list) {
        methods.put(
                method.getFullMethodName(),
                ServerMethodDefinition.create(
                        encoded(method),
                        ServerCalls.asyncServerStreamingCall((request, client) -> ListStream.send(
                                (ServerCallStreamObserver<EncodedItems>) client, list.apply(request)))));
    }

    private static <Q> MethodDescriptor<Q, EncodedItems> encoded(MethodDescriptor<Q, ?> method) {
        return method.toBuilder(method.getRequestMarshaller(), EncodedItems.MARSHALLER)
                .build();
    }
}
