package dev.gantry.image;

import dev.gantry.image.Endpoint.Tls;
import dev.gantry.image.HttpTransport.Answer;
import dev.gantry.image.Repository.Reader;
import dev.gantry.image.Repository.Request;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpTimeoutException;
import java.nio.channels.UnresolvedAddressException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Talks to registries and their mirrors: authentication, redirects, and trying again.
///
/// A server that cannot be reached is left out for [#DEAD_FOR] where another one can serve. Thread-safe.
final class Registries implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(Registries.class);

    private static final Duration DEAD_FOR = Duration.ofSeconds(60);
    private static final int ATTEMPTS = 5;
    private static final int MIRROR_ATTEMPTS = 2;
    private static final Duration FIRST_PAUSE = Duration.ofMillis(200);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(5);
    private static final int REDIRECTS = 10;
    private static final Set<Integer> REDIRECTIONS = Set.of(301, 302, 303, 307, 308);
    private static final Duration ANSWER_PATIENCE = Duration.ofSeconds(60);

    private final RegistryHosts hosts;
    private final Duration patience;
    private final InstantSource clock;
    private final HttpTransport transport;
    private final Authorizer authorizer;
    private final Map<String, Instant> dead = new ConcurrentHashMap<>();
    /// The Authorization that a server took last time, so that not every request is refused once.
    private final Map<Admission, String> admissions = new ConcurrentHashMap<>();

    private record Admission(String host, String scope, Credentials credentials) {}

    /// @param configuration folders `certs.d`
    /// @param patience how long a transfer may make no progress
    Registries(List<Path> configuration, Duration patience, InstantSource clock) {
        this.hosts = new RegistryHosts(configuration);
        this.patience = patience;
        this.clock = clock;
        Duration answer = patience.compareTo(ANSWER_PATIENCE) < 0 ? patience : ANSWER_PATIENCE;
        this.transport = new HttpTransport(answer, patience);
        this.authorizer = new Authorizer(transport, clock);
    }

    /// The repository that a reference is in, as seen with these credentials.
    Repository repository(Reference reference, Credentials credentials) {
        return new Repository(this, reference, credentials, hosts.endpoints(reference.domain()));
    }

    Duration patience() {
        return patience;
    }

    boolean isDead(Endpoint endpoint) {
        Instant until = dead.get(endpoint.host());
        return until != null && clock.instant().isBefore(until);
    }

    /// Asks one server, again if it is worth it.
    ///
    /// @param last nobody else can be asked: then more is tried
    <T> T ask(
            Endpoint endpoint,
            Reference reference,
            Credentials given,
            Request request,
            Reader<T> reader,
            boolean last) {
        Credentials credentials = credentialsFor(endpoint, reference, given);
        int attempts = last ? ATTEMPTS : MIRROR_ATTEMPTS;
        Duration pause = FIRST_PAUSE;
        for (int attempt = 1; ; attempt++) {
            Failure failure;
            try {
                return attempt(endpoint, reference, credentials, request, reader);
            } catch (Failure e) {
                failure = e;
            }
            boolean unreachable = failure.unreachable;
            if (unreachable) {
                dead.put(endpoint.host(), clock.instant().plus(DEAD_FOR));
            }
            if (attempt >= attempts || (unreachable && !last) || !failure.mayPass) {
                throw failure.as(request.what(), endpoint.host(), patience);
            }
            log.atDebug()
                    .addKeyValue("registry", endpoint.host())
                    .addKeyValue("image", reference)
                    .log("trying again: {}", failure.getMessage());
            sleep(longer(pause, failure.pause), request.what());
            pause = shorter(pause.multipliedBy(2), LONGEST_PAUSE);
        }
    }

    /// What the file says of a mirror counts for it; for the registry itself the caller knows better.
    private static Credentials credentialsFor(Endpoint endpoint, Reference reference, Credentials given) {
        boolean usable = !given.isEmpty() && given.areFor(reference.domain(), endpoint);
        if (!endpoint.credentials().isEmpty() && (endpoint.mirror() || !usable)) {
            return endpoint.credentials();
        }
        return usable ? given : Credentials.NONE;
    }

    private <T> T attempt(
            Endpoint endpoint, Reference reference, Credentials credentials, Request request, Reader<T> reader)
            throws Failure {
        try {
            Answer answer = authorized(endpoint, reference, credentials, request);
            boolean handedOver = false;
            try {
                requireSuccess(answer, endpoint, request);
                T result = reader.read(answer);
                handedOver = result instanceof BodyStream;
                return result;
            } finally {
                if (!handedOver) {
                    answer.close();
                }
            }
        } catch (InterruptedIOException e) {
            throw new ImageException.Cancelled("getting " + request.what());
        } catch (IOException e) {
            throw Failure.of(e);
        }
    }

    private Answer authorized(Endpoint endpoint, Reference reference, Credentials credentials, Request request)
            throws IOException {
        String scope = "repository:%s:pull".formatted(reference.path());
        Admission admission = new Admission(endpoint.host(), scope, credentials);
        URI uri = URI.create("%s/%s/%s".formatted(endpoint.base(), reference.path(), request.path())
                + (endpoint.mirror() ? "?ns=" + reference.domain() : ""));
        Answer answer = redirected(endpoint, uri, request.headers(), admissions.get(admission));
        for (int round = 0; round < 2 && answer.status() == 401 && isSameHost(answer.uri(), endpoint.base()); round++) {
            List<String> challenges = answer.headers().allValues("WWW-Authenticate");
            answer.close();
            if (round > 0 || admissions.remove(admission) != null) {
                authorizer.forget(credentials);
            }
            String authorization = authorizer.answer(endpoint, challenges, scope, credentials, request.what());
            answer = redirected(endpoint, uri, request.headers(), authorization);
            if (answer.status() != 401) {
                admissions.put(admission, authorization);
                return answer;
            }
            if (authorization.startsWith("Basic ")) {
                break; // the same password would be refused again
            }
        }
        return answer;
    }

    /// Follows redirects. Another host, port or scheme gets neither the Authorization nor the configured headers.
    private Answer redirected(
            Endpoint endpoint, URI start, Map<String, List<String>> headers, @Nullable String authorization)
            throws IOException {
        URI uri = start;
        for (int hop = 0; hop <= REDIRECTS; hop++) {
            Map<String, List<String>> all = new LinkedHashMap<>(headers);
            boolean home = isSameHost(uri, endpoint.base());
            if (home) {
                endpoint.headers().forEach(all::putIfAbsent);
                if (authorization != null) {
                    all.put("Authorization", List.of(authorization));
                }
            }
            Endpoint server = home ? endpoint : foreign(endpoint);
            Answer answer = transport.get(server, uri, all);
            Optional<String> location = answer.header("Location");
            if (!REDIRECTIONS.contains(answer.status()) || location.isEmpty()) {
                return answer;
            }
            answer.close();
            uri = target(uri, location.get());
        }
        throw new IOException("more than %d redirects".formatted(REDIRECTS));
    }

    /// A storage server behind a registry is trusted by the same authorities, but not shown our client certificate.
    private static Endpoint foreign(Endpoint endpoint) {
        Tls tls = endpoint.tls();
        return new Endpoint(
                endpoint.base(),
                endpoint.mirror(),
                endpoint.capabilities(),
                new Tls(tls.authorities(), List.of(), tls.skipVerify()),
                Map.of(),
                endpoint.dialTimeout(),
                Credentials.NONE);
    }

    private static URI target(URI from, String location) throws IOException {
        try {
            URI target = from.resolve(location);
            boolean http = "http".equals(target.getScheme()) || "https".equals(target.getScheme());
            if (http && target.getHost() != null && target.getRawUserInfo() == null) {
                return target;
            }
        } catch (IllegalArgumentException _) {
            // said below; the location itself may hold a signature and is not shown
        }
        throw new IOException("a redirect that leads nowhere");
    }

    private static boolean isSameHost(URI one, URI other) {
        return one.getScheme().equals(other.getScheme())
                && one.getRawAuthority().equalsIgnoreCase(other.getRawAuthority());
    }

    private void requireSuccess(Answer answer, Endpoint endpoint, Request request) throws Failure {
        int status = answer.status();
        String host = endpoint.host();
        switch (status) {
            case 200, 206 -> {}
            case 401 ->
                throw new ImageException.Unauthenticated(request.what(), host, "401, the credentials do not suffice");
            case 403 -> throw new ImageException.Forbidden(request.what(), host, "403, access is forbidden");
            case 404 -> throw new ImageException.NotInRegistry(request.what(), host);
            case 408, 425, 429 -> throw Failure.ofStatus(status, retryAfter(answer), true);
            default -> throw Failure.ofStatus(status, retryAfter(answer), status >= 500);
        }
    }

    private static Duration retryAfter(Answer answer) {
        String seconds = answer.header("Retry-After").orElse("");
        return seconds.matches("[0-9]{1,4}")
                ? shorter(Duration.ofSeconds(Long.parseLong(seconds)), LONGEST_PAUSE)
                : Duration.ZERO;
    }

    private static Duration shorter(Duration one, Duration other) {
        return one.compareTo(other) < 0 ? one : other;
    }

    private static Duration longer(Duration one, Duration other) {
        return one.compareTo(other) < 0 ? other : one;
    }

    static void sleep(Duration pause, String what) {
        try {
            Thread.sleep(pause);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            throw new ImageException.Cancelled("getting " + what);
        }
    }

    @Override
    public void close() {
        transport.close();
    }

    /// One attempt that failed in a way that another attempt may not.
    private static final class Failure extends Exception {
        private final boolean mayPass;
        private final boolean unreachable;
        private final Duration pause;

        private Failure(
                String problem, @Nullable Throwable cause, boolean mayPass, boolean unreachable, Duration pause) {
            super(problem, cause);
            this.mayPass = mayPass;
            this.unreachable = unreachable;
            this.pause = pause;
        }

        static Failure of(IOException e) {
            boolean refused = e instanceof ConnectException || e instanceof HttpConnectTimeoutException;
            boolean untrusted = e instanceof SSLException;
            boolean slow = e instanceof HttpTimeoutException && !refused;
            return new Failure(describe(e), e, !untrusted && !slow, refused || slow, Duration.ZERO);
        }

        static Failure ofStatus(int status, Duration pause, boolean mayPass) {
            return new Failure("it answered %d".formatted(status), null, mayPass, false, pause);
        }

        ImageException as(String what, String host, Duration patience) {
            Throwable cause = getCause();
            if (cause instanceof HttpTimeoutException && !(cause instanceof HttpConnectTimeoutException)) {
                return new ImageException.TimedOut(what, host, patience);
            }
            return new ImageException.RegistryUnavailable(what, host, String.valueOf(getMessage()), cause);
        }

        /// Many exceptions of the network have their message only in the cause, or none at all.
        private static String describe(IOException e) {
            for (Throwable t = e; t != null; t = t.getCause()) {
                if (t.getMessage() != null && !t.getMessage().isBlank()) {
                    return t.getMessage();
                }
                if (t instanceof UnresolvedAddressException) {
                    return "its name cannot be resolved";
                }
            }
            return e instanceof ConnectException
                    ? "connection refused"
                    : e.getClass().getSimpleName();
        }
    }
}
