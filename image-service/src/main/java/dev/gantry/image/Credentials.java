package dev.gantry.image;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Objects;

/// With what a registry is asked: a name and a password, a token that is exchanged for others, or a token that is
/// used as it is. Any text may be empty. It is never printed.
///
/// @param identityToken a refresh token, exchanged at the token server of the registry
/// @param registryToken sent to the registry as `Authorization: Bearer`
/// @param serverAddress the registry that these are for (a host or a URL); empty means the one of the image
public record Credentials(
        String username, String password, String identityToken, String registryToken, String serverAddress) {

    public static final Credentials NONE = new Credentials("", "", "", "", "");

    public Credentials {
        Objects.requireNonNull(username);
        Objects.requireNonNull(password);
        Objects.requireNonNull(identityToken);
        Objects.requireNonNull(registryToken);
        Objects.requireNonNull(serverAddress);
    }

    public static Credentials basic(String username, String password) {
        return new Credentials(username, password, "", "", "");
    }

    /// Reads the members of an AuthConfig, where `auth` is base64 of `user:password` and counts if no name is given.
    ///
    /// @throws IllegalArgumentException if `auth` is not that; the message does not quote it
    public static Credentials of(
            String username,
            String password,
            String auth,
            String identityToken,
            String registryToken,
            String serverAddress) {
        if (!username.isEmpty() || auth.isEmpty()) {
            return new Credentials(username, password, identityToken, registryToken, serverAddress);
        }
        String decoded;
        try {
            decoded = new String(Base64.getDecoder().decode(auth.strip()), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException _) {
            throw new IllegalArgumentException("auth of the image credentials is not base64");
        }
        int colon = decoded.indexOf(':');
        if (colon < 0) {
            throw new IllegalArgumentException("auth of the image credentials is not base64 of user:password");
        }
        // Docker pads the password with zero bytes.
        String secret = decoded.substring(colon + 1).replaceAll("\0+$", "");
        return new Credentials(decoded.substring(0, colon), secret, identityToken, registryToken, serverAddress);
    }

    boolean isEmpty() {
        return username.isEmpty() && password.isEmpty() && identityToken.isEmpty() && registryToken.isEmpty();
    }

    boolean hasPassword() {
        return !username.isEmpty() || !password.isEmpty();
    }

    /// The value of an Authorization header.
    String basicHeader() {
        byte[] pair = (username + ":" + password).getBytes(StandardCharsets.UTF_8);
        return "Basic " + Base64.getEncoder().encodeToString(pair);
    }

    /// Whether these may be shown to an endpoint: one at the address they are for, or any if they name none.
    boolean areFor(String domain, Endpoint endpoint) {
        if (serverAddress.isEmpty()) {
            return true;
        }
        String address = serverAddress.replaceFirst("^https?://", "").replaceFirst("/.*$", "");
        if (address.equals("index.docker.io") || address.equals("registry-1.docker.io")) {
            address = "docker.io";
        }
        return address.equals(endpoint.host()) || (!endpoint.mirror() && address.equals(domain));
    }

    @Override
    public String toString() {
        return isEmpty() ? "no credentials" : "credentials (not shown)";
    }
}
