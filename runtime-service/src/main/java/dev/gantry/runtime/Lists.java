package dev.gantry.runtime;

import dev.gantry.cri.runtime.v1.ContainerFilter;
import dev.gantry.cri.runtime.v1.ContainerStats;
import dev.gantry.cri.runtime.v1.ContainerStatsFilter;
import dev.gantry.cri.runtime.v1.PodSandboxFilter;
import dev.gantry.cri.runtime.v1.PodSandboxStatsFilter;
import dev.gantry.sandbox.Sandbox;
import dev.gantry.sandbox.SandboxId;
import dev.gantry.sandbox.SandboxState;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// What the list calls and the list streams of the CRI answer: encoded items, made as they are taken.
///
/// What is listed is what was there at the call; an item that tells figures tells those of the moment it is taken.
final class Lists {

    private final Pods pods;
    private final Containers containers;
    private final Statistics statistics;
    private final ListItems<Sandbox> sandboxItems =
            new ListItems<>(it -> it.id().value(), it -> EncodedItems.item(CriSandboxes.item(it)));
    private final ListItems<Container> containerItems =
            new ListItems<>(Container::id, it -> EncodedItems.item(CriContainers.item(it)));
    private final ListItems<Container> containerAttributes = new ListItems<>(
            Container::id,
            it -> ContainerStats.newBuilder()
                    .setAttributes(ContainerStatsReader.attributes(it))
                    .build()
                    .toByteArray());

    Lists(Pods pods, Containers containers, Statistics statistics) {
        this.pods = pods;
        this.containers = containers;
        this.statistics = statistics;
    }

    /// As [#sandboxes], all in one or in parts.
    List<byte[]> sandboxesTogether(PodSandboxFilter filter) {
        return filter.equals(PodSandboxFilter.getDefaultInstance())
                ? List.of(sandboxItems.together(pods.list()))
                : together(sandboxes(filter));
    }

    Iterator<byte[]> sandboxes(PodSandboxFilter filter) {
        Collection<Sandbox> all = pods.list();
        sandboxItems.keepOnly(all);
        return all.stream()
                .filter(it -> Filters.id(filter.getId(), it.id().value()))
                .filter(it -> !filter.hasState() || filter.getState().getState() == CriSandboxes.state(it.state()))
                .filter(it ->
                        Filters.labels(filter.getLabelSelectorMap(), it.config().labels()))
                .map(sandboxItems::of)
                .iterator();
    }

    /// As [#containers], all in one or in parts.
    List<byte[]> containersTogether(ContainerFilter filter) {
        return filter.equals(ContainerFilter.getDefaultInstance())
                ? List.of(containerItems.together(containers.list()))
                : together(containers(filter));
    }

    Iterator<byte[]> containers(ContainerFilter filter) {
        Collection<Container> all = containers.list();
        containerItems.keepOnly(all);
        return all.stream()
                .filter(it -> Filters.id(filter.getId(), it.id()))
                .filter(it -> Filters.id(filter.getPodSandboxId(), it.sandbox().value()))
                .filter(it -> !filter.hasState() || filter.getState().getState() == CriContainers.state(it.state()))
                .filter(it ->
                        Filters.labels(filter.getLabelSelectorMap(), it.config().getLabelsMap()))
                .map(containerItems::of)
                .iterator();
    }

    static List<byte[]> together(Iterator<byte[]> items) {
        List<byte[]> all = new ArrayList<>();
        items.forEachRemaining(all::add);
        return all;
    }

    /// Of those that run.
    Iterator<byte[]> containerStats(ContainerStatsFilter filter) {
        Collection<Container> all = containers.list();
        containerAttributes.keepOnly(all);
        return all.stream()
                .filter(it -> it.state() == ContainerState.RUNNING)
                .filter(it -> Filters.id(filter.getId(), it.id()))
                .filter(it -> Filters.id(filter.getPodSandboxId(), it.sandbox().value()))
                .filter(it ->
                        Filters.labels(filter.getLabelSelectorMap(), it.config().getLabelsMap()))
                .map(it -> EncodedItems.item(
                        containerAttributes.of(it), statistics.containers().figures(it)))
                .iterator();
    }

    /// Of those that are ready.
    Iterator<byte[]> podStats(PodSandboxStatsFilter filter) {
        Map<SandboxId, List<Container>> members = members();
        return ready().filter(it -> Filters.id(filter.getId(), it.id().value()))
                .filter(it ->
                        Filters.labels(filter.getLabelSelectorMap(), it.config().labels()))
                .map(it -> EncodedItems.item(statistics.pods().of(it, members.getOrDefault(it.id(), List.of()))))
                .iterator();
    }

    /// As [#podStats].
    Iterator<byte[]> podMetrics() {
        Map<SandboxId, List<Container>> members = members();
        return ready().map(it ->
                        EncodedItems.item(statistics.metrics().of(it, members.getOrDefault(it.id(), List.of()))))
                .iterator();
    }

    private Stream<Sandbox> ready() {
        return pods.list().stream().filter(it -> it.state() == SandboxState.READY);
    }

    private Map<SandboxId, List<Container>> members() {
        return containers.list().stream()
                .collect(Collectors.groupingBy(Container::sandbox, HashMap::new, Collectors.toList()));
    }
}
