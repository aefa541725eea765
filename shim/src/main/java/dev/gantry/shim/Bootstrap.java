package dev.gantry.shim;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.gantry.cri.containerd.runtime.bootstrap.v1.BootstrapResult;
import dev.gantry.cri.oci.Json;
import dev.gantry.cri.oci.MalformedDocumentException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// Where a started shim listens, and which version of the task service it speaks: what its `start` action
/// printed.
///
/// Shims print one of three forms: a `BootstrapResult`, the JSON
/// `{"version":3,"address":"unix:///run/s/0a1b","protocol":"ttrpc"}`, or, up to containerd 1.6, the bare
/// address.
record Bootstrap(int version, String address, String protocol) {

    private static final String SCHEME = "unix://";
    private static final int MAX_REPLY = 64 << 10;

    Bootstrap {
        if (version != 2 && version != 3) {
            throw new IllegalArgumentException("version %d of the shim protocol is not supported".formatted(version));
        }
        if (!protocol.equals("ttrpc")) {
            throw new IllegalArgumentException("the shim speaks %s, not ttrpc".formatted(protocol));
        }
        if (!address.startsWith(SCHEME + "/") || address.chars().anyMatch(c -> c <= ' ' || c == 0x7f)) {
            throw new IllegalArgumentException("the shim's address is not a Unix socket: " + address);
        }
    }

    /// The socket's file.
    Path socket() {
        return Path.of(address.substring(SCHEME.length()));
    }

    /// Reads any of the three forms.
    ///
    /// @throws IllegalArgumentException if it is none
    static Bootstrap parse(byte[] reply) {
        if (reply.length == 0 || reply.length > MAX_REPLY) {
            throw new IllegalArgumentException("a reply of %d bytes is no address".formatted(reply.length));
        }
        String text = new String(reply, StandardCharsets.UTF_8).strip();
        if (text.startsWith("{")) {
            return json(reply);
        }
        // The first byte of an address would be a protobuf tag that BootstrapResult does not have.
        return text.startsWith(SCHEME) ? new Bootstrap(2, text, "ttrpc") : message(reply);
    }

    private static Bootstrap json(byte[] reply) {
        try {
            if (Json.parse(reply) instanceof Map<?, ?> members
                    && members.get("version") instanceof Long version
                    && members.get("address") instanceof String address
                    && members.get("protocol") instanceof String protocol) {
                return new Bootstrap(Math.toIntExact(version), address, protocol);
            }
        } catch (MalformedDocumentException | ArithmeticException e) {
            throw new IllegalArgumentException("the shim's address is malformed JSON", e);
        }
        throw new IllegalArgumentException("the shim's address lacks version, address or protocol");
    }

    private static Bootstrap message(byte[] reply) {
        try {
            BootstrapResult result = BootstrapResult.parseFrom(reply);
            return new Bootstrap(result.getVersion(), result.getAddress(), result.getProtocol());
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalArgumentException("the reply is no address in any known form", e);
        }
    }

    /// Reads what [#write] or the shim itself left in a bundle; empty if no shim was started for it.
    ///
    /// @throws IllegalArgumentException if the file is malformed
    static Optional<Bootstrap> read(Bundle bundle) throws IOException {
        for (Path file : new Path[] {bundle.bootstrap(), bundle.address()}) {
            try {
                return Optional.of(parse(Files.readAllBytes(file)));
            } catch (NoSuchFileException _) {
                // the other file, then
            }
        }
        return Optional.empty();
    }

    /// Writes `bootstrap.json`, whole or not at all. It need not survive a power cut, as no shim does.
    void write(Bundle bundle) throws IOException {
        Map<String, Object> members = new LinkedHashMap<>();
        members.put("version", version);
        members.put("address", address);
        members.put("protocol", protocol);
        Path temporary = bundle.directory().resolve(".bootstrap.json");
        Files.write(temporary, Json.write(members));
        Files.move(temporary, bundle.bootstrap(), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
}
