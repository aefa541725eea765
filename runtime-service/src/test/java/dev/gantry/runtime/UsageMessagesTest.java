package dev.gantry.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gantry.cri.runtime.v1.NetworkInterfaceUsage;
import dev.gantry.cri.runtime.v1.NetworkUsage;
import dev.gantry.linux.NetworkDevice;
import java.util.List;
import org.junit.jupiter.api.Test;

class UsageMessagesTest {

    private static NetworkDevice device(String name, long from) {
        return new NetworkDevice(name, from, from + 1, from + 2, from + 3, from + 4, from + 5, from + 6, from + 7);
    }

    private static NetworkUsage network(NetworkDevice... devices) {
        return UsageMessages.network(5, List.of(devices)).orElseThrow();
    }

    @Test
    void theKubeletsInterfaceIsApartFromTheOthers() {
        NetworkDevice eth0 = device("eth0", 100);
        NetworkUsage usage = network(device("net1", 10), eth0, device("net2", 20));

        assertThat(usage.getTimestamp()).isEqualTo(5);
        assertThat(usage.getDefaultInterface().getName()).isEqualTo("eth0");
        assertThat(usage.getDefaultInterface().getRxBytes().getValue()).isEqualTo(eth0.receivedBytes());
        assertThat(usage.getDefaultInterface().getRxErrors().getValue()).isEqualTo(eth0.receiveErrors());
        assertThat(usage.getDefaultInterface().getTxBytes().getValue()).isEqualTo(eth0.sentBytes());
        assertThat(usage.getDefaultInterface().getTxErrors().getValue()).isEqualTo(eth0.sendErrors());
        assertThat(usage.getInterfacesList())
                .extracting(NetworkInterfaceUsage::getName)
                .containsExactly("net1", "net2");
    }

    @Test
    void theFirstStandsForItWhereThereIsNoEth0() {
        NetworkUsage usage = network(device("net1", 10), device("net2", 20));

        assertThat(usage.getDefaultInterface().getName()).isEqualTo("net1");
        assertThat(usage.getInterfacesList())
                .extracting(NetworkInterfaceUsage::getName)
                .containsExactly("net2");
    }

    @Test
    void aPodWithoutInterfacesHasNoUsage() {
        assertThat(UsageMessages.network(5, List.of())).isEmpty();
    }
}
