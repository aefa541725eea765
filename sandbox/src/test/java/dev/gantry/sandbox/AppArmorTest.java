package dev.gantry.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AppArmorTest {

    private static final SecurityProfile UNSET = new SecurityProfile.Unset();
    private static final SecurityProfile DEFAULT = new SecurityProfile.RuntimeDefault();
    private static final SecurityProfile UNCONFINED = new SecurityProfile.Unconfined();

    @TempDir
    private Path root;

    private Path profiles;
    private Path given;
    private Path parser;

    @BeforeEach
    void makeKernelWithAppArmor() throws IOException {
        Path parameters = Files.createDirectories(root.resolve("sys/module/apparmor/parameters"));
        Files.writeString(parameters.resolve("enabled"), "Y\n");
        profiles = Files.createDirectories(root.resolve("sys/kernel/security/apparmor"))
                .resolve("profiles");
        Files.writeString(profiles, "mine (enforce)\nminer (complain)\n");
        given = root.resolve("given");
        parser = root.resolve("parser");
        parserDoes("cat >>'%s'; echo 'gantry-default (enforce)' >>'%s'".formatted(given, profiles));
    }

    private void parserDoes(String body) throws IOException {
        Files.writeString(parser, "#!/bin/sh\n%s\n".formatted(body));
        Files.setPosixFilePermissions(parser, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private AppArmor apparmor() {
        return new AppArmor(root, parser.toString());
    }

    private long timesLoaded() throws IOException {
        return Files.readAllLines(given).stream()
                .filter(line -> line.startsWith("profile "))
                .count();
    }

    @Test
    void loadsTheDefaultProfileOnceForAllThatMeanIt() throws IOException {
        AppArmor apparmor = apparmor();
        apparmor.prepare();

        assertThat(apparmor.profile(DEFAULT, false)).isEqualTo("gantry-default");
        assertThat(apparmor.profile(UNSET, false)).isEqualTo("gantry-default");

        assertThat(timesLoaded()).isEqualTo(1);
    }

    @Test
    void replacesTheWordingOfAnEarlierDaemonAndLoadsAgainWhatSomebodyRemoved() throws IOException {
        Files.writeString(profiles, "gantry-default (enforce)\n");
        AppArmor apparmor = apparmor();

        apparmor.prepare();
        assertThat(timesLoaded()).isEqualTo(1);
        Files.writeString(profiles, "");
        apparmor.prepare();

        assertThat(timesLoaded()).isEqualTo(2);
    }

    @Test
    void letsTheDaemonSendSignalsUnderItsOwnLabel() throws IOException {
        Path current = Files.createDirectories(root.resolve("proc/self/attr")).resolve("current");

        Files.writeString(current, "unconfined\n");
        apparmor().prepare();
        Files.writeString(current, "snap.gantry-d (complain)\n");
        apparmor().prepare();
        Files.writeString(current, "odd[1]//&b (enforce)\n");
        apparmor().prepare();

        assertThat(Files.readAllLines(given))
                .filteredOn(line -> line.startsWith("@{gantryd}="))
                .containsExactly("@{gantryd}=unconfined", "@{gantryd}=snap.gantry-d", "@{gantryd}=**");
    }

    @Test
    void confinesNothingPrivilegedUnlessByAProfileOfTheNode() {
        AppArmor apparmor = apparmor();

        assertThat(apparmor.profile(DEFAULT, true)).isEmpty();
        assertThat(apparmor.profile(UNSET, true)).isEmpty();
        assertThat(apparmor.profile(new SecurityProfile.Localhost("mine"), true))
                .isEqualTo("mine");
        assertThat(given).doesNotExist();
    }

    @Test
    void takesConfinementAwayWhereUnconfinedIsAskedFor() {
        assertThat(apparmor().profile(UNCONFINED, false)).isEqualTo("unconfined");
    }

    @Test
    void knowsProfilesOfTheNodeByTheirWholeName() {
        AppArmor apparmor = apparmor();

        assertThat(apparmor.profile(new SecurityProfile.Localhost("localhost/mine"), false))
                .isEqualTo("mine");
        assertThatThrownBy(() -> apparmor.profile(new SecurityProfile.Localhost("localhost/min"), false))
                .isInstanceOf(SandboxException.InvalidRequest.class)
                .hasMessage("AppArmor profile min is not loaded on this node");
    }

    @Test
    void refusesWhoInsistsOnADefaultProfileThatCannotBeLoaded() throws IOException {
        parserDoes("echo 'syntax error, line 7'; exit 1");
        assertThatThrownBy(() -> apparmor().profile(DEFAULT, false))
                .isInstanceOf(SandboxException.Failed.class)
                .hasMessageContaining("cannot load AppArmor profile gantry-default")
                .hasMessageContaining("ended with 1: syntax error, line 7");

        parserDoes("exit 0");
        assertThatThrownBy(() -> apparmor().profile(DEFAULT, false)).isInstanceOf(SandboxException.Failed.class);

        Files.delete(parser);
        assertThatThrownBy(() -> apparmor().profile(DEFAULT, false))
                .isInstanceOf(SandboxException.Failed.class)
                .hasMessageContaining("apparmor_parser, of the package apparmor, must be in PATH")
                .hasMessageContaining("ENOENT");
        assertThat(apparmor().profile(UNSET, false)).as("who does not insist").isEmpty();
    }

    @Test
    void keepsTheProfileOfAnEarlierDaemonWhereThereIsNoParser() throws IOException {
        Files.writeString(profiles, "gantry-default (enforce)\n");
        Files.delete(parser);

        assertThat(apparmor().profile(DEFAULT, false)).isEqualTo("gantry-default");
    }

    @Test
    void hasNoProfilesWhereTheKernelHasNoneOrDoesNotShowThem() throws IOException {
        Files.delete(profiles);
        hasNone();
        Files.writeString(root.resolve("sys/module/apparmor/parameters/enabled"), "N\n");
        hasNone();
        Files.delete(root.resolve("sys/module/apparmor/parameters/enabled"));
        hasNone();
    }

    private void hasNone() {
        for (SecurityProfile profile : List.of(UNSET, DEFAULT, UNCONFINED)) {
            assertThat(apparmor().profile(profile, false))
                    .as(profile.toString())
                    .isEmpty();
        }
        assertThatThrownBy(() -> apparmor().profile(new SecurityProfile.Localhost("mine"), false))
                .isInstanceOf(SandboxException.InvalidRequest.class)
                .hasMessage("AppArmor profile mine: the kernel of this node has no AppArmor");
        assertThat(given).doesNotExist();
    }
}
