package dev.gantry.cri.oci;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class SeccompDefaultTest {

    private static final List<String> USUAL = List.of("CAP_CHOWN", "CAP_KILL", "CAP_SYS_CHROOT");

    private final SeccompDefault profiles = SeccompDefault.load();

    @Test
    void refusesWhatIsNotListed() {
        Seccomp.Rules rules = profiles.rules(USUAL);

        assertThat(rules.defaultAction()).isEqualTo("SCMP_ACT_ERRNO");
        assertThat(allowed(rules)).contains("read", "openat2", "chroot").doesNotContain("mount", "bpf", "reboot");
    }

    @Test
    void hasThreeHundredAndEightyTwoEffectsWithoutCapabilities() {
        assertThat(profiles.rules(List.of()).syscalls().stream()
                        .mapToInt(rule -> rule.names().size())
                        .sum())
                .isEqualTo(382);
    }

    @Test
    void knowsOneWayOfCallingTheKernelWhereThatIsEnough() {
        Seccomp.Rules usual = profiles.rules(List.of());
        byte[] json = profiles.nativeProfile().toString().getBytes(StandardCharsets.UTF_8);
        Seccomp.Rules one = Seccomp.parse(json, "profile");

        assertThat(one.architectures()).isEqualTo(usual.architectures().subList(0, 1));
        assertThat(one.syscalls()).isEqualTo(usual.syscalls());
    }

    @Test
    void givesCapabilitiesTheirSystemCalls() {
        assertThat(allowed(profiles.rules(List.of("CAP_SYS_TIME")))).contains("settimeofday");
        assertThat(allowed(profiles.rules(List.of()))).doesNotContain("settimeofday", "chroot");
        assertThat(allowed(profiles.rules(List.of("CAP_BPF")))).contains("bpf");
    }

    @Test
    void restrictsCloneUnlessTheContainerAdministersTheSystem() {
        Seccomp.Rules usual = profiles.rules(USUAL);
        Seccomp.Rules admin = profiles.rules(List.of("CAP_SYS_ADMIN"));

        assertThat(usual.syscalls())
                .contains(new Seccomp.Rule(
                        List.of("clone"),
                        "SCMP_ACT_ALLOW",
                        null,
                        List.of(new Seccomp.Condition(0, 2114060288, 0, "SCMP_CMP_MASKED_EQ"))))
                .contains(new Seccomp.Rule(List.of("clone3"), "SCMP_ACT_ERRNO", 38L, List.of()));
        assertThat(allowed(admin)).contains("clone", "clone3", "mount");
        assertThat(admin.syscalls()).noneMatch(rule -> rule.action().equals("SCMP_ACT_ERRNO"));
        assertThat(admin.syscalls().stream()
                        .filter(rule -> rule.names().contains("clone"))
                        .map(Seccomp.Rule::args))
                .containsExactly(List.of());
    }

    @Test
    void encodesEachProfileOnce() {
        Seccomp.Encoded first = profiles.profile(USUAL);

        assertThat(profiles.profile(List.of("CAP_SYS_CHROOT", "CAP_SETUID"))).isSameAs(first);
        assertThat(profiles.profile(List.of())).isNotEqualTo(first);
        byte[] json = first.toString().getBytes(StandardCharsets.UTF_8);
        assertThat(Seccomp.parse(json, "profile")).isEqualTo(profiles.rules(USUAL));
    }

    private static Set<String> allowed(Seccomp.Rules rules) {
        return rules.syscalls().stream()
                .filter(rule -> rule.action().equals("SCMP_ACT_ALLOW"))
                .flatMap(rule -> rule.names().stream())
                .collect(Collectors.toSet());
    }
}
