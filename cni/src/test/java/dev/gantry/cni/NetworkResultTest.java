package dev.gantry.cni;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NetworkResultTest {

    @Test
    void readsAResultOfTheOldForm() {
        NetworkResult result = parse("""
                {"cniVersion": "0.4.0",
                 "interfaces": [{"name": "br0", "mac": "02:00:00:00:00:01"}, {"name": "eth0", "sandbox": "/run/netns/x"}],
                 "ips": [{"version": "4", "address": "10.1.2.3/24", "gateway": "10.1.2.1", "interface": 1}],
                 "dns": {"nameservers": ["10.1.0.1"], "domain": "local"}}""");

        assertThat(addresses(result)).containsExactly("10.1.2.3");
        assertThat(result.ips().getFirst().prefix()).isEqualTo(24);
        assertThat(result.ips().getFirst().gateway()).contains("10.1.2.1");
        assertThat(result.dns().nameservers()).containsExactly("10.1.0.1");
    }

    @Test
    void takesTheContainersOwnAddressesAndVersionFourFirst() {
        NetworkResult result = parse("""
                {"cniVersion": "1.0.0",
                 "interfaces": [{"name": "eth0"}, {"name": "eth0", "sandbox": "/n"}, {"name": "lo", "sandbox": "/n"}],
                 "ips": [{"address": "192.0.2.1/24", "interface": 0}, {"address": "fd00::5/64", "interface": 1},
                         {"address": "10.0.0.5/24", "interface": 1}, {"address": "127.0.0.1/8", "interface": 2}]}""");

        assertThat(addresses(result)).containsExactly("10.0.0.5", "fd00::5");
    }

    @Test
    void takesAllWhereTheResultNamesNoInterface() {
        assertThat(addresses(parse("{\"cniVersion\": \"0.3.1\", \"ips\": [{\"address\": \"fd00::5/64\"}]}")))
                .containsExactly("fd00::5");
        assertThat(addresses(parse("{\"ips\": [{\"address\": \"10.0.0.5/24\", \"interface\": 7}]}")))
                .containsExactly("10.0.0.5");
        assertThat(parse("{\"cniVersion\": \"1.0.0\"}").ips()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "hello",
                "[]",
                "{\"ips\": {}}",
                "{\"ips\": [{}]}",
                "{\"ips\": [{\"address\": \"localhost\"}]}",
                "{\"ips\": [{\"address\": \"10.0.0.300/8\"}]}",
                "{\"ips\": [{\"address\": \"10.0.0.3/x\"}]}",
                "{\"ips\": [{\"address\": 3}]}",
                "{\"interfaces\": [1]}",
                "{\"dns\": {\"search\": [1]}}"
            })
    void refusesWhatIsNoResult(String text) {
        assertThatThrownBy(() -> parse(text)).isInstanceOf(JsonObject.WrongType.class);
    }

    @ParameterizedTest
    @CsvSource({
        "K8S_POD_NAME, a;K8S_POD_UID=x",
        "K8S_POD_NAME, a=b",
        "K8S_POD_NAME, 'a b'",
        "K8S_POD_NAME, 'a\nb'",
        "'A;B', x",
        "'A=B', x"
    })
    void refusesArgumentsThatCouldBeTakenForOthers(String key, String value) {
        assertThatThrownBy(() -> new Attachment("c1", Path.of("/n"), "eth0", Map.of(key, value), Capabilities.NONE))
                .isInstanceOf(CniException.InvalidRequest.class);
    }

    @ParameterizedTest
    @CsvSource({
        "../c, eth0",
        "'', eth0",
        "-c, eth0",
        "c, eth/0",
        "c, ..",
        "c, ''",
        "c, a-name-much-too-long",
        "c, 'e 0'"
    })
    void refusesIdsAndInterfacesThatAreNone(String id, String ifName) {
        assertThatThrownBy(() -> new Attachment(id, Path.of("/n"), ifName, Map.of(), Capabilities.NONE))
                .isInstanceOf(CniException.InvalidRequest.class);
    }

    private static NetworkResult parse(String text) {
        return NetworkResult.parse(text.getBytes(StandardCharsets.UTF_8), "eth0");
    }

    private static List<String> addresses(NetworkResult result) {
        return result.ips().stream().map(NetworkResult.Ip::address).toList();
    }
}
