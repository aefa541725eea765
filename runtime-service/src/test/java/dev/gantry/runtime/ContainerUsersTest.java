package dev.gantry.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gantry.cri.runtime.v1.Int64Value;
import dev.gantry.cri.runtime.v1.LinuxContainerSecurityContext;
import dev.gantry.cri.runtime.v1.SupplementalGroupsPolicy;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ContainerUsersTest {

    private static final UserDatabase USERS = new UserDatabase("""
            root:x:0:0:root:/root:/bin/sh
            default-user:x:1000:1000::/home/default-user:
            """, """
            root:x:0:
            default-user:x:1000:
            group-defined-in-image:x:50000:default-user
            wheel:x:10:root
            """);

    private static ContainerUser choose(
            String imageUser, UnaryOperator<LinuxContainerSecurityContext.Builder> request) {
        ImageContent image = TestPods.image(TestPods.execution(imageUser, List.of(), List.of(), List.of()));
        return ContainerUsers.choose(
                request.apply(LinuxContainerSecurityContext.newBuilder()).build(), image, USERS);
    }

    private static Int64Value value(long value) {
        return Int64Value.newBuilder().setValue(value).build();
    }

    @ParameterizedTest
    @CsvSource({
        "'', 0, 0",
        "0, 0, 0",
        "1000, 1000, 1000",
        "default-user, 1000, 1000",
        "default-user:root, 1000, 0",
        "default-user:7, 1000, 7",
        "1000:group-defined-in-image, 1000, 50000",
        "4711, 4711, 0",
        "4711:4712, 4711, 4712",
        ":wheel, 0, 10",
        "default-user:, 1000, 1000",
    })
    void isTheImagesUser(String user, long uid, long gid) {
        ContainerUser chosen = choose(user, it -> it);

        assertThat(chosen.uid()).isEqualTo(uid);
        assertThat(chosen.gid()).isEqualTo(gid);
        // CVE-2023-25173
        assertThat(chosen.groups()).contains(gid);
    }

    @Test
    void isTheRequestsUserBeforeTheImages() {
        assertThat(choose("default-user:wheel", it -> it.setRunAsUser(value(5))))
                .isEqualTo(new ContainerUser(5, 0, List.of(0L)));
        assertThat(choose("0", it -> it.setRunAsUsername("default-user").setRunAsGroup(value(9))))
                .isEqualTo(new ContainerUser(1000, 9, List.of(9L, 50000L)));
    }

    @Test
    void mergesGroupsOfTheImageWithThoseOfThePod() {
        ContainerUser user = choose("", it -> it.setRunAsUser(value(1000)).addSupplementalGroups(1234));

        assertThat(user).isEqualTo(new ContainerUser(1000, 1000, List.of(1000L, 1234L, 50000L)));
    }

    @Test
    void takesStrictlyThoseOfThePod() {
        ContainerUser user = choose(
                "",
                it -> it.setRunAsUser(value(1000))
                        .addSupplementalGroups(1234)
                        .setSupplementalGroupsPolicy(SupplementalGroupsPolicy.Strict));

        assertThat(user).isEqualTo(new ContainerUser(1000, 1000, List.of(1000L, 1234L)));
    }

    @Test
    void mergesGroupsOfRootToo() {
        assertThat(choose("", it -> it).groups()).containsExactly(0L, 10L);
    }

    @Test
    void refusesNamesThatTheImageDoesNotKnow() {
        assertRefused(
                "",
                it -> it.setRunAsUsername("ghost"),
                "user \"ghost\" is not in /etc/passwd of image example.org/app:1");
        assertRefused("ghost", it -> it, "user \"ghost\" is not in /etc/passwd of image example.org/app:1");
        assertRefused("0:ghosts", it -> it, "group \"ghosts\" is not in /etc/group of image example.org/app:1");
    }

    @Test
    void refusesIdsThatWrapAroundToRoot() {
        assertRefused("4294967296", it -> it, "user id 4294967296 is not between 0 and 2147483647");
        assertRefused("0:4294967296", it -> it, "group id 4294967296 is not between 0 and 2147483647");
        assertRefused("", it -> it.setRunAsUser(value(-1)), "user id -1 is not between 0 and 2147483647");
        assertRefused(
                "",
                it -> it.setRunAsUser(value(1)).setRunAsGroup(value(1L << 31)),
                "group id 2147483648 is not between 0 and 2147483647");
        assertRefused("", it -> it.addSupplementalGroups(-2), "supplemental group -2 is not between 0 and 2147483647");
    }

    @Test
    void refusesAGroupWithoutAUser() {
        assertRefused(
                "default-user",
                it -> it.setRunAsGroup(value(7)),
                "run_as_group 7 needs run_as_user or run_as_username");
    }

    @Test
    void refusesAUserByIdAndByNameAtOnce() {
        assertRefused(
                "",
                it -> it.setRunAsUser(value(7)).setRunAsUsername("root"),
                "run_as_user 7 and run_as_username \"root\" exclude each other");
    }

    private static void assertRefused(
            String imageUser, UnaryOperator<LinuxContainerSecurityContext.Builder> request, String message) {
        assertThatThrownBy(() -> choose(imageUser, request))
                .isInstanceOf(ContainerException.InvalidRequest.class)
                .hasMessage(message);
    }
}
