package dev.gantry.cri.oci;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class SpecProperties {

    @Property(tries = 300)
    void readsWhatItWrites(@ForAll("specs") Spec spec) {
        assertThat(Spec.parse(spec.toJson(), "spec")).isEqualTo(spec);
    }

    @Property(tries = 300)
    void readsUnsignedNumbersAsTheyWereWritten(@ForAll long value) {
        var limit = new OciProcess.Rlimit("RLIMIT_NOFILE", value, ~value);
        OciProcess process = OciProcess.builder().rlimits(List.of(limit)).build();

        assertThat(OciProcess.parse(process.toJson(), "process").rlimits()).containsExactly(limit);
    }

    @Provide
    Arbitrary<Spec> specs() {
        return Combinators.combine(processes(), linux(), mounts().list().ofMaxSize(5), maps(), texts())
                .as((process, linux, mounts, annotations, hostname) -> Spec.builder()
                        .process(process)
                        .root("rootfs", hostname.isEmpty())
                        .linux(linux)
                        .mounts(mounts)
                        .annotations(annotations)
                        .hostname(hostname)
                        .build());
    }

    private static Arbitrary<OciProcess> processes() {
        return Combinators.combine(texts().list().ofMaxSize(5), ids().list().ofMaxSize(3), names(), Arbitraries.longs())
                .as((args, groups, cwd, score) -> OciProcess.builder()
                        .args(args)
                        .user(new OciProcess.User(7, 8, groups))
                        .cwd(cwd)
                        .oomScoreAdj(score)
                        .build());
    }

    private static Arbitrary<Linux> linux() {
        return Combinators.combine(maps(), texts().list().ofMaxSize(4), names(), Arbitraries.longs())
                .as((sysctl, masked, type, limit) -> Linux.builder()
                        .sysctl(sysctl)
                        .maskedPaths(masked)
                        .namespaces(List.of(new Linux.Namespace(type)))
                        .resources(Resources.builder()
                                .pidsLimit(limit)
                                .unified(sysctl)
                                .hugepageLimits(List.of(new Resources.HugepageLimit(type, limit)))
                                .build())
                        .build());
    }

    private static Arbitrary<Spec.Mount> mounts() {
        return Combinators.combine(names(), texts(), texts(), texts().list().ofMaxSize(3), ids())
                .as((destination, type, source, options, id) -> new Spec.Mount(
                        destination, type, source, options, List.of(new IdMapping(0, id, 1)), List.of()));
    }

    private static Arbitrary<Map<String, String>> maps() {
        return Arbitraries.maps(texts(), texts()).ofMaxSize(4);
    }

    private static Arbitrary<Long> ids() {
        return Arbitraries.longs().between(0, 4294967295L);
    }

    private static Arbitrary<String> names() {
        return texts().filter(text -> !text.isEmpty());
    }

    private static Arbitrary<String> texts() {
        return JsonProperties.texts();
    }
}
