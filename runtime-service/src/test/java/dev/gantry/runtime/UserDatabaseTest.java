package dev.gantry.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class UserDatabaseTest {

    private static final UserDatabase USERS = new UserDatabase("""
            root:x:0:0:root:/root:/bin/sh
            # a comment
            broken:x:
            huge:x:4294967296:0::/:
            wrapped:x:-1:0::/:
            www:x:33:34:www:/var/www:/bin/false
            www:x:99:99:second::
            twin:x:33:35::/:
            """, """
            root:x:0:
            audio:x:29:www,games
            video:x:44:games
            plugdev:x:46:www
            huge:x:2147483648:www
            short:x
            """);

    @Test
    void findsUsersByNameAndTheFirstById() {
        assertThat(USERS.user("www")).contains(new UserDatabase.User("www", 33, 34, "/var/www"));
        assertThat(USERS.user(33)).contains(new UserDatabase.User("www", 33, 34, "/var/www"));
        assertThat(USERS.user("nobody")).isEmpty();
        assertThat(USERS.user(7)).isEmpty();
    }

    @Test
    void findsHomesOfUsersThatItKnows() {
        assertThat(USERS.home(0)).isEqualTo("/root");
        assertThat(USERS.home(33)).isEqualTo("/var/www");
        assertThat(USERS.home(7)).as("of an unknown user").isEqualTo("/");
        assertThat(USERS.home(99)).as("of a user without one").isEqualTo("/");
    }

    @Test
    void knowsNoHomeThatIsNoPlainPath() {
        for (String home : new String[] {"relative", "", "/x\0y", "/" + "x".repeat(4096)}) {
            assertThat(new UserDatabase("a:x:5:5::" + home + ":/bin/sh", "").home(5))
                    .isEqualTo("/");
        }
        assertThat(new UserDatabase("a:x:5:5", "").home(5)).isEqualTo("/");
        assertThat(new UserDatabase("a:x:5:5::/a\nb:x:0:0::/b:", "").home(5)).isEqualTo("/a");
    }

    @Test
    void findsGroupsByNameAndByMember() {
        assertThat(USERS.groupId("video")).hasValue(44);
        assertThat(USERS.groupId("none")).isEmpty();
        assertThat(USERS.groupsOf("www")).containsExactly(29L, 46L);
        assertThat(USERS.groupsOf("ww")).isEmpty();
    }

    @Test
    void overlooksBrokenLinesAndIdsOutOfRange() {
        assertThat(USERS.user("broken")).isEmpty();
        assertThat(USERS.user("huge")).isEmpty();
        assertThat(USERS.user("wrapped")).isEmpty();
        assertThat(USERS.groupId("huge")).isEmpty();
        assertThat(USERS.groupId("short")).isEmpty();
    }

    @Test
    void readsIdsUpToTheLargestThatNoRuntimeTakesForRoot() {
        assertThat(UserDatabase.id("0")).hasValue(0);
        assertThat(UserDatabase.id("2147483647")).hasValue(Integer.MAX_VALUE);
        for (String id : new String[] {"2147483648", "4294967296", "18446744073709551616", "-1", "", "1a", "٣"}) {
            assertThat(UserDatabase.id(id)).as(id).isEmpty();
        }
    }
}
