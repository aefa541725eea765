package dev.gantry.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gantry.cri.oci.Descriptor;
import dev.gantry.cri.oci.Digest;
import dev.gantry.cri.oci.MediaTypes;
import dev.gantry.linux.HostFacts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageVerifiersTest {

    private static final Reference NAME = Reference.parse("nginx:1.27");
    private static final Descriptor INDEX = new Descriptor(MediaTypes.OCI_INDEX, Digest.of(new byte[] {1}), 1609);
    private static final String BEGINNING =
            "SignatureValidationFailed: cannot pull docker.io/library/nginx:1.27 (%s): ".formatted(INDEX.digest());

    @TempDir
    private Path directory;

    private Verifiers verifiers;

    @BeforeEach
    void setUp() throws IOException {
        assumeTrue(HostFacts.isRoot(), "verifiers must belong to root, so their tests must make them as root");
        verifiers = Verifiers.in(directory.resolve("verifiers"));
    }

    private void ask() throws InterruptedException {
        ask(verifiers.settings());
    }

    private static void ask(ImageSettings.Verifiers settings) throws InterruptedException {
        new ImageVerifiers(settings).requireAccepted(NAME, INDEX);
    }

    private String refusal() {
        return refusal(verifiers.settings());
    }

    private static String refusal(ImageSettings.Verifiers settings) {
        AtomicReference<String> message = new AtomicReference<>("");
        assertThatThrownBy(() -> ask(settings))
                .isInstanceOfSatisfying(
                        ImageException.SignatureRefused.class, e -> message.set(String.valueOf(e.getMessage())));
        assertThat(message.get()).startsWith(BEGINNING);
        return message.get().substring(BEGINNING.length());
    }

    @Test
    void tellsAVerifierWhatContainerdTellsIt() throws Exception {
        Path told = Files.createDirectories(directory.resolve("told"));
        verifiers.add("v", """
                printf '%s\\n' "$@" >TOLD/arguments
                cat >TOLD/input
                tr '\\0' '\\n' <"/proc/$$/environ" >TOLD/environment
                pwd >TOLD/folder
                """.replace("TOLD", told.toString()));

        ask();

        assertThat(told.resolve("arguments")).hasContent("""
                -name
                docker.io/library/nginx:1.27
                -digest
                %s
                -stdin-media-type
                application/vnd.oci.descriptor.v1+json
                """.formatted(INDEX.digest()));
        assertThat(Files.readString(told.resolve("input")))
                .isEqualTo(
                        "{\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"digest\":\"%s\",\"size\":1609}\n"
                                .formatted(INDEX.digest()));
        assertThat(Files.readAllLines(told.resolve("environment")))
                .extracting(variable -> variable.replaceFirst("=.*", ""))
                .contains("PATH")
                .isSubsetOf(ImageVerifiers.ENVIRONMENT);
        assertThat(told.resolve("folder")).hasContent("/");
    }

    @Test
    void tellsNoTagBesideADigest() throws Exception {
        Path told = directory.resolve("told");
        verifiers.add("v", "echo $2 >" + told);
        String digest = "@" + INDEX.digest();

        new ImageVerifiers(verifiers.settings()).requireAccepted(Reference.parse("quay.io/a/b:prod" + digest), INDEX);

        assertThat(told).hasContent("quay.io/a/b" + digest);
    }

    @Test
    void acceptsWhereNobodyIsToBeAsked() throws Exception {
        ask(ImageSettings.Verifiers.NONE);
        ask(new ImageSettings.Verifiers(Optional.of(directory.resolve("none")), 1, Duration.ofSeconds(1)));
        ask();
    }

    @Test
    void wantsAYesFromEachAndStopsAtTheFirstNo() throws Exception {
        Path asked = directory.resolve("asked");
        Path second = verifiers.add("20", "echo 20 >>" + asked);
        verifiers.add("10", "echo 10 >>" + asked);
        verifiers.add("30", "echo 30 >>" + asked);
        ask();
        assertThat(asked).hasContent("10\n20\n30\n");

        Files.delete(asked);
        verifiers.add("20", "echo 20 >>%s; echo no signature; echo secret >&2; exit 3".formatted(asked));

        assertThat(refusal())
                .isEqualTo(
                        "verifier %s refuses it with exit code 3: no signature; pull an image that it accepts, or"
                                + " change its policy",
                        second);
        assertThat(asked).hasContent("10\n20\n");
    }

    @Test
    void takesNoOrderFromTheReason() throws Exception {
        verifiers.add(
                "v", "printf ' a\\nb\\r\\n\\033[31mc\\000\\177d \\342\\200\\256e\\342\\200\\250f\\377 \\n'; exit 1");

        assertThat(refusal()).contains("exit code 1: a b [31mc d e f\uFFFD; ");
    }

    @Test
    void keepsLittleOfWhatIsMuch() throws Exception {
        String much = "yes \u20ac\u20ac\u20ac\u20ac | head -c 3000000; yes | head -c 3000000 >&2; exit ";
        verifiers.add("v", much + 0);
        ask();

        verifiers.add("v", much + 1);

        assertThat(refusal())
                .contains("\u20ac\u20ac\u20ac\u20ac \u20ac")
                .contains(" …; ")
                .hasSizeLessThan(900);
    }

    @Test
    void killsWhatDoesNotEndAndAllThatItStarted() throws Exception {
        Path pids = directory.resolve("pids");
        Path verifier = verifiers.add(
                "v",
                "sleep 300 >/dev/null 2>&1 & echo $! >%1$s; sleep 300 & echo $! >>%1$s; echo $$ >>%1$s; wait"
                        .formatted(pids));

        assertThat(refusal(verifiers.settings(Duration.ofMillis(500))))
                .isEqualTo(
                        "verifier %s did not end within 500 ms and was killed; mend it, or raise"
                                + " images.verifiers.timeout",
                        verifier);

        assertAllEnd(pids, 3);
    }

    @Test
    void doesNotTakeAYesWhileAChildMayStillTalk() throws Exception {
        Path pids = directory.resolve("pids");
        verifiers.add("v", "sleep 300 & echo $! >" + pids);

        assertThat(refusal(verifiers.settings(Duration.ofMillis(500)))).contains("did not end within 500 ms");

        assertAllEnd(pids, 1);
    }

    @Test
    void killsAVerifierWhoseCallerGivesUp() throws Exception {
        Path pids = directory.resolve("pids");
        verifiers.add("v", "echo $$ >%1$s.new; mv %1$s.new %1$s; exec sleep 300".formatted(pids));
        AtomicReference<Throwable> thrown = new AtomicReference<>(new AssertionError("accepted"));
        Thread caller = Thread.ofPlatform().start(() -> {
            try {
                ask();
            } catch (InterruptedException | ImageException e) {
                thrown.set(e);
            }
        });
        assertThat(comes(() -> Files.exists(pids))).isTrue();

        caller.interrupt();

        assertThat(caller.join(Duration.ofSeconds(20))).isTrue();
        assertThat(thrown.get()).isInstanceOf(InterruptedException.class);
        assertAllEnd(pids, 1);
    }

    private static void assertAllEnd(Path pids, int count) throws IOException {
        assertThat(Files.readAllLines(pids)).hasSize(count).allMatch(pid -> comes(() -> hasEnded(pid)));
    }

    /// A killed grandchild, for one, is reaped by another process, a moment later.
    private static boolean comes(BooleanSupplier state) {
        for (int i = 0; i < 1000 && !state.getAsBoolean(); i++) {
            LockSupport.parkNanos(20_000_000);
        }
        return state.getAsBoolean();
    }

    private static boolean hasEnded(String pid) {
        try {
            return Files.readString(Path.of("/proc", pid, "stat")).contains(") Z ");
        } catch (IOException _) {
            return true;
        }
    }

    @Test
    void runsOnlySomeAtTheSameTime() throws Exception {
        Path marks = directory.resolve("marks");
        verifiers.add("v", "printf + >>%1$s; sleep 0.3; printf -- - >>%1$s".formatted(marks));
        ImageVerifiers shared = new ImageVerifiers(verifiers.settings());
        List<Thread> pulls = new ArrayList<>();
        for (int i = 0; i < 2 * ImageVerifiers.AT_ONCE; i++) {
            pulls.add(Thread.ofPlatform()
                    .start(() -> assertThatCode(() -> shared.requireAccepted(NAME, INDEX))
                            .doesNotThrowAnyException()));
        }
        for (Thread pull : pulls) {
            pull.join();
        }

        String order = Files.readString(marks);
        int running = 0;
        int most = 0;
        for (int i = 0; i < order.length(); i++) {
            running += order.charAt(i) == '+' ? 1 : -1;
            most = Math.max(most, running);
        }
        assertThat(order).hasSize(4 * ImageVerifiers.AT_ONCE);
        assertThat(most).as(order).isBetween(2, ImageVerifiers.AT_ONCE);
    }

    @Test
    void refusesWhenMoreWouldHaveToBeAskedThanMay() throws Exception {
        verifiers.add("a", "exit 0");
        verifiers.add("b", "exit 0");

        assertThat(refusal(new ImageSettings.Verifiers(Optional.of(verifiers.folder()), 1, Duration.ofSeconds(30))))
                .isEqualTo(
                        "%s holds 2 programs, but images.verifiers.max is 1; remove some or raise it",
                        verifiers.folder());
    }

    @Test
    void asksNobodyWhomOthersThanRootCouldHaveReplaced() throws Exception {
        Path asked = directory.resolve("asked");
        Path verifier = verifiers.add("v", "touch " + asked);

        Verifiers.mode(verifier, "rwxrwxr-x");
        assertThat(refusal()).startsWith(verifier + " is writable by others than root; ");
        Verifiers.mode(verifier, "rwxr-xrwx");
        assertThat(refusal()).startsWith(verifier + " is writable by others than root; ");
        Verifiers.mode(verifier, "rwxr-xr-x");
        Files.setAttribute(verifier, "unix:uid", 4711);
        assertThat(refusal()).startsWith(verifier + " does not belong to root; ");
        Files.setAttribute(verifier, "unix:uid", 0);
        Verifiers.mode(verifiers.folder(), "rwxrwxrwx");
        assertThat(refusal()).startsWith(verifiers.folder() + " is writable by others than root; ");
        Verifiers.mode(verifiers.folder(), "rwxr-xr-x");
        Files.setAttribute(verifiers.folder(), "unix:uid", 4711);
        assertThat(refusal()).startsWith(verifiers.folder() + " does not belong to root; ");
        Files.setAttribute(verifiers.folder(), "unix:uid", 0);

        assertThat(asked).doesNotExist();
        ask();
        assertThat(asked).exists();
    }

    @Test
    void passesNothingOverThatIsNoProgram() throws Exception {
        verifiers.add("a", "exit 0");
        Path other = verifiers.folder().resolve("b");

        Verifiers.mode(Files.writeString(other, "read me"), "rw-r--r--");
        assertThat(refusal()).isEqualTo("%s is no program; make it executable, or remove it", other);
        Files.delete(other);
        Verifiers.mode(Files.createDirectory(other), "rwxr-xr-x");
        assertThat(refusal()).startsWith(other + " is no program; ");
        Files.delete(other);
        Files.createSymbolicLink(other, Path.of("nothing"));
        assertThat(refusal()).startsWith(other + " cannot be looked at ");
        Files.delete(other);
        Verifiers.mode(Files.writeString(other, "#!/no/such/shell\n"), "rwxr-xr-x");
        assertThat(refusal())
                .startsWith("verifier %s cannot be run: ".formatted(other))
                .contains("ENOENT");
    }

    @Test
    void followsALinkToAProgramThatOnlyRootCanReplace() throws Exception {
        Path elsewhere = Verifiers.mode(Files.createDirectory(directory.resolve("elsewhere")), "rwxr-xr-x");
        Path program = new Verifiers(elsewhere).add("program", "echo from elsewhere; exit 9");
        Files.createSymbolicLink(verifiers.folder().resolve("v"), program);
        assertThat(refusal()).contains("exit code 9: from elsewhere");

        Verifiers.mode(elsewhere, "rwxrwxrwx");

        assertThat(refusal()).startsWith(elsewhere.toRealPath() + " is writable by others than root");
    }

    @Test
    void refusesWhereTheFolderIsNone() throws Exception {
        Path file = Files.writeString(directory.resolve("file"), "");

        assertThat(refusal(new ImageSettings.Verifiers(Optional.of(file), 1, Duration.ofSeconds(1))))
                .startsWith(file + " cannot be looked at ");
    }
}
