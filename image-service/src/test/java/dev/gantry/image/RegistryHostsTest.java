package dev.gantry.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gantry.image.Endpoint.Capability;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RegistryHostsTest {

    @TempDir
    private Path root;

    private List<Endpoint> endpoints(String domain) {
        return new RegistryHosts(List.of(root)).endpoints(domain);
    }

    private Path write(String folder, String toml) throws IOException {
        Path directory = Files.createDirectories(root.resolve(folder));
        return Files.writeString(directory.resolve("hosts.toml"), toml);
    }

    @Test
    void asksTheRegistryItselfWithoutAFile() {
        assertThat(endpoints("docker.io")).extracting(Endpoint::base).hasToString("[https://registry-1.docker.io/v2]");
        assertThat(endpoints("quay.io:8443")).extracting(Endpoint::base).hasToString("[https://quay.io:8443/v2]");
        for (String loopback : List.of("localhost:5000", "localhost", "127.0.0.1:80", "127.8.9.1", "[::1]:5000")) {
            assertThat(endpoints(loopback)).extracting(Endpoint::base).hasToString("[http://" + loopback + "/v2]");
        }
        assertThat(endpoints("127.example.com").getFirst().base()).hasScheme("https");
    }

    @Test
    void keepsTheOrderOfTheFileAndEndsWithTheServer() throws IOException {
        write("quay.io", """
                server = "https://upstream.example"
                [host."https://z.example:5000"]
                  capabilities = ["pull"]
                [host."http://a.example/mirror"]
                  dial_timeout = "1500ms"
                [host."m.example/api"]
                  override_path = true
                  skip_verify = true
                  header = { x-one = "1", x-two = ["2", "3"] }
                """);

        List<Endpoint> endpoints = endpoints("quay.io");

        assertThat(endpoints)
                .extracting(endpoint -> endpoint.base().toString())
                .containsExactly(
                        "https://z.example:5000/v2",
                        "http://a.example/mirror/v2",
                        "https://m.example/api",
                        "https://upstream.example/v2");
        assertThat(endpoints).extracting(Endpoint::mirror).containsExactly(true, true, true, false);
        assertThat(endpoints.get(0).capabilities()).containsExactly(Capability.PULL);
        assertThat(endpoints.get(1).dialTimeout()).isEqualTo(Duration.ofMillis(1500));
        assertThat(endpoints.get(2).tls().skipVerify()).isTrue();
        assertThat(endpoints.get(2).headers()).containsEntry("x-two", List.of("2", "3"));
    }

    @Test
    void readsCertificatesAndCredentials() throws IOException {
        write("quay.io", """
                ca = "/etc/ca.crt"
                [host."https://m.example"]
                  ca = ["one.crt", "two.crt"]
                  client = [["c.cert", "c.key"]]
                  username = "me"
                  password = "secret"
                """);

        List<Endpoint> endpoints = endpoints("quay.io");

        Path folder = root.resolve("quay.io");
        assertThat(endpoints.get(0).tls().authorities())
                .containsExactly(folder.resolve("one.crt"), folder.resolve("two.crt"));
        assertThat(endpoints.get(0).tls().clientKeys())
                .containsExactly(new Endpoint.ClientKey(folder.resolve("c.cert"), folder.resolve("c.key")));
        assertThat(endpoints.get(0).credentials()).isEqualTo(Credentials.basic("me", "secret"));
        assertThat(endpoints.get(1).tls().authorities()).containsExactly(Path.of("/etc/ca.crt"));
    }

    @Test
    void findsTheFolderOfAPortAndTheDefaultOne() throws IOException {
        write("quay.io_5000_", "server = 'https://one.example'");
        write("quay.io:6000", "server = 'https://two.example'");
        write("_default", "[host.'http://mirror.example']");

        assertThat(endpoints("quay.io:5000").getLast().host()).isEqualTo("one.example");
        assertThat(endpoints("quay.io:6000").getLast().host()).isEqualTo("two.example");
        assertThat(endpoints("ghcr.io")).extracting(Endpoint::host).containsExactly("mirror.example", "ghcr.io");
    }

    @Test
    void readsFoldersInDockersManner() throws IOException {
        Path folder = Files.createDirectories(root.resolve("quay.io"));
        for (String name : List.of("ca.crt", "client.cert", "client.key")) {
            Files.createFile(folder.resolve(name));
        }

        Endpoint endpoint = endpoints("quay.io").getFirst();

        assertThat(endpoint.tls().authorities()).containsExactly(folder.resolve("ca.crt"));
        assertThat(endpoint.tls().clientKeys())
                .containsExactly(new Endpoint.ClientKey(folder.resolve("client.cert"), folder.resolve("client.key")));
    }

    @Test
    void namesFileLineAndKeyOfAMistake() throws IOException {
        String[][] mistakes = {
            {"server = 1", "1:1", "server must be a string"},
            {"\n[host.\"https://a\"]\n  skip_verfy = true", "3:3", "skip_verfy is not known"},
            {"[host.\"https://a\"]\ncapabilities = [\"fly\"]", "2:1", "unknown value 'fly'"},
            {"[host.\"ftp://a\"]", "1:1", "'ftp://a' is not the address of a server"},
            {"[host.\"https://u:secret@a\"]", "1:1", "is not the address of a server"},
            {"[host.\"https://a\"]\ndial_timeout = \"soon\"", "2:1", "'soon' is not a duration"},
            {"server = ", "1:", ""},
        };
        for (String[] mistake : mistakes) {
            Path file = write("quay.io", mistake[0]);
            assertThatThrownBy(() -> endpoints("quay.io"))
                    .isInstanceOf(ImageException.BadConfiguration.class)
                    .hasMessageStartingWith(file + ":" + mistake[1])
                    .hasMessageContaining(mistake[2]);
        }
    }
}
