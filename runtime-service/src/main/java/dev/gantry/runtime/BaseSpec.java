package dev.gantry.runtime;

import dev.gantry.cri.oci.Linux;
import dev.gantry.cri.oci.OciProcess;
import dev.gantry.cri.oci.Resources;
import dev.gantry.cri.oci.Spec;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Puts a runtime handler's own spec under that of a container: what a request cannot say comes from there.
///
/// That is hooks, annotations, environment, more mounts, rlimits, scheduling, personality, RDT, and the limits on
/// processes, block devices, RDMA and the network. Everything else is the request's, the image's and the pod's alone.
final class BaseSpec {

    private BaseSpec() {}

    static Spec under(Spec spec, Spec base) {
        return new Spec(
                spec.ociVersion(),
                process(spec.process(), base.process()),
                spec.root(),
                spec.hostname(),
                spec.domainname(),
                mounts(spec.mounts(), base.mounts()),
                spec.hooks() == null ? base.hooks() : spec.hooks(),
                merged(base.annotations(), spec.annotations()),
                linux(spec.linux(), base.linux()));
    }

    private static @Nullable OciProcess process(@Nullable OciProcess own, @Nullable OciProcess base) {
        if (own == null || base == null) {
            return own;
        }
        OciProcess.Builder process = own.toBuilder()
                .env(union(base.env(), own.env(), it -> it.split("=", 2)[0]))
                .rlimits(union(own.rlimits(), base.rlimits(), OciProcess.Rlimit::type));
        if (base.scheduler() != null) {
            process.scheduler(base.scheduler());
        }
        if (base.ioPriority() != null) {
            process.ioPriority(base.ioPriority());
        }
        if (base.execCpuAffinity() != null) {
            process.execCpuAffinity(base.execCpuAffinity());
        }
        return process.build();
    }

    /// Those of the base on places where the container has none.
    private static List<Spec.Mount> mounts(List<Spec.Mount> own, List<Spec.Mount> base) {
        Set<String> taken = new HashSet<>();
        own.forEach(it -> taken.add(it.destination()));
        List<Spec.Mount> mounts = new ArrayList<>(own);
        base.stream().filter(it -> !taken.contains(it.destination())).forEach(mounts::add);
        mounts.sort(Comparator.comparingInt(it -> ContainerPath.of("mount path of the base spec", it.destination())
                .depth()));
        return mounts;
    }

    private static @Nullable Linux linux(@Nullable Linux own, @Nullable Linux base) {
        if (own == null || base == null) {
            return own;
        }
        return new Linux(
                own.uidMappings(),
                own.gidMappings(),
                own.sysctl(),
                resources(own.resources(), base.resources()),
                own.cgroupsPath(),
                own.namespaces(),
                own.devices(),
                own.seccomp(),
                own.rootfsPropagation(),
                own.maskedPaths(),
                own.readonlyPaths(),
                own.mountLabel(),
                own.intelRdt() == null ? base.intelRdt() : own.intelRdt(),
                own.personality() == null ? base.personality() : own.personality(),
                own.timeOffsets());
    }

    private static @Nullable Resources resources(@Nullable Resources own, @Nullable Resources base) {
        if (own == null || base == null) {
            return own;
        }
        return new Resources(
                own.devices(),
                own.memory(),
                own.cpu(),
                own.pidsLimit() == null ? base.pidsLimit() : own.pidsLimit(),
                own.blockIo() == null ? base.blockIo() : own.blockIo(),
                own.hugepageLimits(),
                own.network() == null ? base.network() : own.network(),
                merged(base.rdma(), own.rdma()),
                merged(base.unified(), own.unified()));
    }

    private static <V> Map<String, V> merged(Map<String, V> first, Map<String, V> second) {
        Map<String, V> all = new LinkedHashMap<>(first);
        all.putAll(second);
        return all;
    }

    /// In order; of those with the same name the later one stands in the place of the first.
    private static <T> List<T> union(Collection<T> first, Collection<T> second, Function<T, String> name) {
        Map<String, T> all = new LinkedHashMap<>();
        first.forEach(it -> all.put(name.apply(it), it));
        second.forEach(it -> all.put(name.apply(it), it));
        return List.copyOf(all.values());
    }
}
