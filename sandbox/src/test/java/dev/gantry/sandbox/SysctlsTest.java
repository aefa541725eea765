package dev.gantry.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SysctlsTest {

    private static final SandboxNamespaces HOST =
            new SandboxNamespaces(NamespaceMode.NODE, NamespaceMode.CONTAINER, NamespaceMode.NODE);

    @ParameterizedTest
    @ValueSource(
            strings = {
                "net.ipv4.ip_local_port_range",
                "net/ipv4/conf/eth0.1/forwarding",
                "kernel.shm_rmid_forced",
                "kernel.msgmax",
                "fs.mqueue.msg_max"
            })
    void grantsWhatANamespaceOfThePodHolds(String key) {
        assertThat(Sysctls.checked(Map.of(key, "1"), SandboxNamespaces.OWN)).containsEntry(key, "1");
    }

    @ParameterizedTest
    @ValueSource(strings = {"kernel.core_pattern", "vm.overcommit_memory", "fs.file-max", "kernel.hostname"})
    void refusesWhatWouldChangeTheHost(String key) {
        assertThatThrownBy(() -> Sysctls.checked(Map.of(key, "1"), SandboxNamespaces.OWN))
                .isInstanceOf(SandboxException.InvalidRequest.class)
                .hasMessageContaining(key)
                .hasMessageContaining("not held by a namespace");
    }

    @ParameterizedTest
    @ValueSource(strings = {"net.core.somaxconn", "kernel.sem", "fs.mqueue.msg_max"})
    void refusesThoseOfANamespaceThatIsTheHosts(String key) {
        assertThatThrownBy(() -> Sysctls.checked(Map.of(key, "1"), HOST))
                .isInstanceOf(SandboxException.InvalidRequest.class)
                .hasMessageContaining("would change the host");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "net", "net.ipv4.x=1+kernel.core_pattern", "net..x", "net.ipv4.x y", "../net.x"})
    void refusesMalformedKeys(String key) {
        assertThatThrownBy(() -> Sysctls.checked(Map.of(key, "1"), SandboxNamespaces.OWN))
                .isInstanceOf(SandboxException.InvalidRequest.class);
    }

    @Test
    void refusesAValueThatWouldBecomeTwoLines() {
        assertThatThrownBy(() -> Sysctls.checked(Map.of("net.core.somaxconn", "1\n2"), SandboxNamespaces.OWN))
                .isInstanceOf(SandboxException.InvalidRequest.class)
                .hasMessageContaining("malformed");
    }

    @Test
    void knowsWhichNameAnInterface() {
        assertThat(Sysctls.namesInterface("net.ipv4.conf.eth0.forwarding")).isTrue();
        assertThat(Sysctls.namesInterface("net/ipv6/neigh/eth0.5/base_reachable_time"))
                .isTrue();
        assertThat(Sysctls.namesInterface("net.ipv4.conf.all.forwarding")).isFalse();
        assertThat(Sysctls.namesInterface("net.ipv4.ip_forward")).isFalse();
        assertThat(Sysctls.namesInterface("kernel.sem")).isFalse();
    }
}
