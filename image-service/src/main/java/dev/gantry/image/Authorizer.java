package dev.gantry.image;

import dev.gantry.cri.oci.Json;
import dev.gantry.cri.oci.MalformedDocumentException;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/// Answers the challenges of registries: basic authentication, and tokens of a token server, which are kept until
/// shortly before they expire.
///
/// Credentials go to the registry they are for and to the token server that it names, never to another host and never
/// over plain HTTP if the registry speaks TLS. Thread-safe.
final class Authorizer {

    private static final int TOKEN_LIMIT = 1 << 20;
    private static final Duration DEFAULT_LIFE = Duration.ofSeconds(60);
    private static final Duration MARGIN = Duration.ofSeconds(10);
    private static final int CACHE_LIMIT = 1000;

    private final HttpTransport transport;
    private final InstantSource clock;
    private final Map<TokenKey, Token> tokens = new ConcurrentHashMap<>();

    private record TokenKey(URI realm, String service, String scope, Credentials credentials) {}

    private record Token(String text, Instant expires) {
        @Override
        public String toString() {
            return "token (not shown)";
        }
    }

    Authorizer(HttpTransport transport, InstantSource clock) {
        this.transport = transport;
        this.clock = clock;
    }

    /// The value for the Authorization header by which the registry's "no" may become a "yes".
    ///
    /// @param what what was asked for, in the words of error messages
    /// @throws ImageException.Unauthenticated if no challenge can be answered, or the token server refuses
    String answer(Endpoint endpoint, List<String> headers, String scope, Credentials credentials, String what)
            throws IOException {
        if (!credentials.registryToken().isEmpty()) {
            return "Bearer " + credentials.registryToken();
        }
        List<Challenge> challenges = Challenge.parse(headers);
        for (Challenge challenge : challenges) {
            if (challenge.scheme().equals("bearer")
                    && challenge.parameter("realm").isPresent()) {
                return "Bearer " + token(endpoint, challenge, scope, credentials, what);
            }
        }
        boolean basic =
                challenges.stream().anyMatch(challenge -> challenge.scheme().equals("basic"));
        if (basic && credentials.hasPassword()) {
            return credentials.basicHeader();
        }
        String problem = basic ? "credentials are needed" : "it asks for an authentication that is not known here";
        throw new ImageException.Unauthenticated(what, endpoint.host(), problem);
    }

    private String token(Endpoint endpoint, Challenge challenge, String scope, Credentials credentials, String what)
            throws IOException {
        URI realm = realm(endpoint, challenge, what);
        String service = challenge.parameter("service").orElse("");
        TokenKey key = new TokenKey(realm, service, challenge.parameter("scope").orElse(scope), credentials);
        Token known = tokens.get(key);
        if (known != null && clock.instant().isBefore(known.expires())) {
            return known.text();
        }
        Token fresh = fetch(endpoint, key, what);
        if (tokens.size() >= CACHE_LIMIT) {
            tokens.clear();
        }
        tokens.put(key, fresh);
        return fresh.text();
    }

    /// Forgets the tokens for these credentials: the registry did not take one that looked valid.
    void forget(Credentials credentials) {
        tokens.keySet().removeIf(key -> key.credentials().equals(credentials));
    }

    private static URI realm(Endpoint endpoint, Challenge challenge, String what) {
        String text = challenge.parameter("realm").orElse("");
        try {
            URI realm = URI.create(text);
            boolean tls = "https".equals(realm.getScheme());
            boolean plain = "http".equals(realm.getScheme())
                    && !"https".equals(endpoint.base().getScheme());
            if (realm.getHost() != null && realm.getRawUserInfo() == null && (tls || plain)) {
                return realm;
            }
        } catch (IllegalArgumentException _) {
            // said below
        }
        throw new ImageException.Unauthenticated(
                what, endpoint.host(), "its token server '%s' cannot be used".formatted(text));
    }

    private Token fetch(Endpoint endpoint, TokenKey key, String what) throws IOException {
        String server = "token server " + key.realm().getAuthority();
        try (HttpTransport.Answer answer = ask(endpoint, key)) {
            byte[] body = answer.body().readNBytes(TOKEN_LIMIT);
            if (answer.status() == 401 || answer.status() == 403 || answer.status() == 400) {
                String why = key.credentials().isEmpty() ? "it wants credentials" : "it refuses the credentials";
                throw new ImageException.Unauthenticated(
                        what, endpoint.host(), "%s says %d: %s".formatted(server, answer.status(), why));
            }
            if (answer.status() != 200) {
                throw new IOException("%s answered %d".formatted(server, answer.status()));
            }
            return parse(body, server);
        }
    }

    private HttpTransport.Answer ask(Endpoint endpoint, TokenKey key) throws IOException {
        Map<String, String> form = new LinkedHashMap<>();
        form.put("service", key.service());
        form.put("scope", key.scope());
        Credentials credentials = key.credentials();
        if (!credentials.identityToken().isEmpty()) {
            form.put("grant_type", "refresh_token");
            form.put("client_id", "gantry");
            form.put("refresh_token", credentials.identityToken());
            return transport.postForm(endpoint, key.realm(), encode(form, false));
        }
        if (!credentials.username().isEmpty()) {
            form.put("account", credentials.username());
        }
        String query =
                Optional.ofNullable(key.realm().getRawQuery()).map(q -> q + "&").orElse("") + encode(form, true);
        String address = key.realm().toString().replaceFirst("[?#].*$", "") + "?" + query;
        Map<String, List<String>> headers =
                credentials.hasPassword() ? Map.of("Authorization", List.of(credentials.basicHeader())) : Map.of();
        return transport.get(endpoint, URI.create(address), headers);
    }

    /// Several scopes stand in one parameter of a challenge, and each in its own of a query.
    private static String encode(Map<String, String> form, boolean splitScopes) {
        List<String> pairs = new ArrayList<>();
        form.forEach((name, value) -> {
            for (String part : splitScopes && name.equals("scope") ? value.split(" ", -1) : new String[] {value}) {
                if (!part.isEmpty()) {
                    pairs.add(name + "=" + URLEncoder.encode(part, StandardCharsets.UTF_8));
                }
            }
        });
        return String.join("&", pairs);
    }

    private Token parse(byte[] body, String server) throws IOException {
        Object document;
        try {
            document = Json.parse(body, "the answer of " + server);
        } catch (MalformedDocumentException _) {
            throw new IOException(server + " did not answer in JSON"); // no cause: it may quote a token
        }
        if (document instanceof Map<?, ?> members) {
            Object text = members.get("token") instanceof String token && !token.isEmpty()
                    ? token
                    : members.get("access_token");
            if (text instanceof String token && !token.isEmpty() && isHeaderSafe(token)) {
                Duration life = members.get("expires_in") instanceof Number seconds
                        ? Duration.ofSeconds(Math.clamp(seconds.longValue(), 0, 86_400))
                        : DEFAULT_LIFE;
                return new Token(token, clock.instant().plus(life).minus(MARGIN));
            }
        }
        throw new IOException(server + " gave no token");
    }

    private static boolean isHeaderSafe(String token) {
        return token.chars().allMatch(c -> c > ' ' && c < 0x7f);
    }
}
