package dev.gantry.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gantry.cri.oci.Seccomp;
import dev.gantry.cri.runtime.v1.LinuxContainerSecurityContext;
import dev.gantry.cri.runtime.v1.SELinuxOption;
import dev.gantry.cri.runtime.v1.SecurityProfile;
import dev.gantry.cri.runtime.v1.SecurityProfile.ProfileType;
import dev.gantry.linux.HostFacts;
import dev.gantry.sandbox.AppArmor;
import dev.gantry.sandbox.SandboxException;
import dev.gantry.sandbox.Selinux;
import dev.gantry.sandbox.SelinuxLabel;
import dev.gantry.sandbox.SpecParts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ContainerConfinementTest {

    private static final List<String> NO_CAPABILITIES = List.of();

    @TempDir
    private Path directory;

    private ContainerConfinement plain;

    @BeforeEach
    void needsSeccomp() {
        plain = new ContainerConfinement(new SpecParts(new AppArmor(directory, "no-parser"), Selinux.off()));
        assumeTrue(HostFacts.seccomp(), "this kernel has no seccomp");
    }

    private static SecurityProfile profile(ProfileType type, String reference) {
        return SecurityProfile.newBuilder()
                .setProfileType(type)
                .setLocalhostRef(reference)
                .build();
    }

    private static LinuxContainerSecurityContext.Builder seccomp(ProfileType type, String reference) {
        return LinuxContainerSecurityContext.newBuilder().setSeccomp(profile(type, reference));
    }

    private Optional<Seccomp> filter(LinuxContainerSecurityContext.Builder security) {
        return plain.seccomp(security.build(), NO_CAPABILITIES);
    }

    @Test
    void filtersNothingWithoutAProfileOrUnconfined() {
        assertThat(filter(LinuxContainerSecurityContext.newBuilder())).isEmpty();
        assertThat(filter(seccomp(ProfileType.Unconfined, ""))).isEmpty();
    }

    @Test
    void filtersByTheDefaultProfileWhichKnowsTheCapabilities() {
        LinuxContainerSecurityContext security =
                seccomp(ProfileType.RuntimeDefault, "").build();

        Optional<Seccomp> without = plain.seccomp(security, NO_CAPABILITIES);
        Optional<Seccomp> with = plain.seccomp(security, List.of("CAP_SYS_ADMIN"));

        assertThat(without).isPresent();
        assertThat(with).isPresent().isNotEqualTo(without);
    }

    @Test
    void filtersByAFileOfTheNode() throws IOException {
        Path file = directory.resolve("profile.json");
        Files.writeString(file, "{\"defaultAction\": \"SCMP_ACT_LOG\"}");

        assertThat(filter(seccomp(ProfileType.Localhost, file.toString())))
                .get()
                .isInstanceOfSatisfying(
                        Seccomp.Rules.class,
                        it -> assertThat(it.defaultAction()).isEqualTo("SCMP_ACT_LOG"));
    }

    @Test
    @SuppressWarnings("deprecation") // what is tested
    void honoursTheOldField() {
        assertThat(filter(LinuxContainerSecurityContext.newBuilder().setSeccompProfilePath("runtime/default")))
                .isPresent();
        assertThat(filter(LinuxContainerSecurityContext.newBuilder().setSeccompProfilePath("unconfined")))
                .isEmpty();
        // The new field wins.
        assertThat(filter(seccomp(ProfileType.Unconfined, "").setSeccompProfilePath("runtime/default")))
                .isEmpty();
    }

    @Test
    void filtersNothingWherePrivileged() {
        assertThat(filter(seccomp(ProfileType.RuntimeDefault, "").setPrivileged(true)))
                .isEmpty();
    }

    @Test
    void refusesAProfileThatIsNotThere() {
        Path missing = directory.resolve("missing.json");

        assertThatThrownBy(() -> filter(seccomp(ProfileType.Localhost, missing.toString())))
                .isInstanceOf(SandboxException.InvalidRequest.class)
                .hasMessageContaining("seccomp profile %s", missing);
        assertThatThrownBy(() -> filter(seccomp(ProfileType.Localhost, "")))
                .isInstanceOf(SandboxException.InvalidRequest.class);
    }

    @Test
    @SuppressWarnings("deprecation") // what is tested
    void namesTheAppArmorProfileOfTheNewFieldBeforeThatOfTheOldOne() throws IOException {
        kernelHasAppArmor("mine");

        assertThat(apparmor(LinuxContainerSecurityContext.newBuilder().setApparmorProfile("localhost/mine")))
                .isEqualTo("mine");
        assertThat(apparmor(LinuxContainerSecurityContext.newBuilder().setApparmorProfile("unconfined")))
                .isEqualTo("unconfined");
        assertThat(apparmor(LinuxContainerSecurityContext.newBuilder()
                        .setApparmor(profile(ProfileType.Localhost, "mine"))
                        .setApparmorProfile("localhost/other")))
                .isEqualTo("mine");
    }

    @Test
    @SuppressWarnings("deprecation") // what is tested
    void insistsOnTheDefaultAppArmorProfileWhereItIsAskedForUnlessPrivileged() throws IOException {
        kernelHasAppArmor("mine");

        for (LinuxContainerSecurityContext.Builder asking : List.of(
                LinuxContainerSecurityContext.newBuilder().setApparmor(profile(ProfileType.RuntimeDefault, "")),
                LinuxContainerSecurityContext.newBuilder().setApparmorProfile("runtime/default"))) {
            assertThatThrownBy(() -> apparmor(asking)).hasMessageStartingWith("cannot load AppArmor profile");
            assertThat(apparmor(asking.setPrivileged(true))).isEmpty();
        }
        assertThat(apparmor(LinuxContainerSecurityContext.newBuilder()))
                .as("nothing asked, no parser")
                .isEmpty();
    }

    private String apparmor(LinuxContainerSecurityContext.Builder security) {
        return plain.apparmor(security.build());
    }

    private void kernelHasAppArmor(String profile) throws IOException {
        Path parameters = Files.createDirectories(directory.resolve("sys/module/apparmor/parameters"));
        Files.writeString(parameters.resolve("enabled"), "Y\n");
        Path security = Files.createDirectories(directory.resolve("sys/kernel/security/apparmor"));
        Files.writeString(security.resolve("profiles"), profile + " (enforce)\n");
    }

    @Test
    void labelsNothingWithoutSelinux() {
        SelinuxLabel pod = new SelinuxLabel("system_u", "system_r", "container_t", "s0:c1,c2");
        LinuxContainerSecurityContext asking = LinuxContainerSecurityContext.newBuilder()
                .setSelinuxOptions(SELinuxOption.newBuilder().setType("spc_t"))
                .build();

        assertThat(plain.processLabel(asking, pod)).isEmpty();
        assertThat(plain.mountLabel(asking, pod)).isEmpty();
    }
}
