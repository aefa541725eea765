package dev.gantry.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.junit.jupiter.api.Test;

class CredentialsTest {

    @Test
    void readsUserAndPasswordFromAuth() {
        String auth = Base64.getEncoder().encodeToString("me:se:cret\0\0".getBytes(StandardCharsets.UTF_8));

        Credentials credentials = Credentials.of("", "", auth, "", "", "");

        assertThat(credentials.username()).isEqualTo("me");
        assertThat(credentials.password()).isEqualTo("se:cret");
    }

    @Test
    void refusesABrokenAuthWithoutQuotingIt() {
        for (String auth : new String[] {"%%secret%%", "c2VjcmV0"}) {
            assertThatThrownBy(() -> Credentials.of("", "", auth, "", "", ""))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageNotContaining("secret")
                    .hasMessageNotContaining(auth);
        }
    }

    @Test
    void isNotPrinted() {
        assertThat(Credentials.basic("me", "secret").toString()).doesNotContain("secret");
    }

    @Test
    void areForTheAddressTheyName() {
        Endpoint hub = RegistryHosts.upstream("docker.io", Endpoint.Tls.DEFAULT);
        Endpoint other = RegistryHosts.upstream("quay.io", Endpoint.Tls.DEFAULT);

        assertThat(forServer("https://index.docker.io/v1/").areFor("docker.io", hub))
                .isTrue();
        assertThat(forServer("quay.io").areFor("quay.io", other)).isTrue();
        assertThat(forServer("https://quay.io/v2").areFor("quay.io", other)).isTrue();
        assertThat(forServer("quay.io").areFor("docker.io", hub)).isFalse();
        assertThat(forServer("quay.io:443").areFor("quay.io", other)).isFalse();
        assertThat(forServer("").areFor("quay.io", other)).isTrue();
    }

    private static Credentials forServer(String address) {
        return new Credentials("me", "secret", "", "", address);
    }
}
