package dev.gantry.shim;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gantry.cri.containerd.runtime.bootstrap.v1.BootstrapResult;
import java.nio.file.Files;
import java.nio.file.Path;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BootstrapTest {

    private static final Bootstrap V3 = new Bootstrap(3, "unix:///run/s/0a", "ttrpc");

    @Test
    void readsTheThreeFormsOfAReply() {
        byte[] message = BootstrapResult.newBuilder()
                .setVersion(3)
                .setAddress("unix:///run/s/0a")
                .setProtocol("ttrpc")
                .build()
                .toByteArray();

        assertThat(Bootstrap.parse(message)).isEqualTo(V3);
        assertThat(parse("{\"version\":3,\"address\":\"unix:///run/s/0a\",\"protocol\":\"ttrpc\"}\n"))
                .isEqualTo(V3);
        assertThat(parse("unix:///run/s/0a\n")).isEqualTo(new Bootstrap(2, "unix:///run/s/0a", "ttrpc"));
    }

    @Test
    void refusesWhatItCannotTalkTo() {
        assertRefused("{\"version\":4,\"address\":\"unix:///run/s/0a\",\"protocol\":\"ttrpc\"}", "version 4");
        assertRefused("{\"version\":3,\"address\":\"unix:///run/s/0a\",\"protocol\":\"grpc\"}", "grpc");
        assertRefused("{\"version\":3,\"address\":\"vsock://3:1024\",\"protocol\":\"ttrpc\"}", "vsock");
        assertRefused("{\"version\":3}", "lacks");
        assertRefused("{\"version\":3", "malformed");
        assertRefused("", "0 bytes");
        assertRefused("panic: runtime error", "no address");
        assertRefused("unix:///run/s/0a\nwarning: something", "not a Unix socket");
    }

    @Property
    void anyOtherBytesAreRefusedInOrder(@ForAll byte[] reply) {
        assertThatThrownBy(() -> Bootstrap.parse(reply)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void findsWhatItWroteAndWhatOldShimsWrite(@TempDir Path directory) throws Exception {
        Bundle bundle = new Bundle(directory);
        assertThat(Bootstrap.read(bundle)).isEmpty();

        Files.writeString(bundle.address(), "unix:///run/containerd/s/1b");
        assertThat(Bootstrap.read(bundle)).contains(new Bootstrap(2, "unix:///run/containerd/s/1b", "ttrpc"));

        V3.write(bundle);
        assertThat(Bootstrap.read(bundle)).contains(V3);
        assertThat(V3.socket()).isEqualTo(Path.of("/run/s/0a"));
    }

    private static Bootstrap parse(String reply) {
        return Bootstrap.parse(reply.getBytes(UTF_8));
    }

    private static void assertRefused(String reply, String reason) {
        assertThatThrownBy(() -> parse(reply))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(reason);
    }
}
