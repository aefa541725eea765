package dev.gantry.sandbox;

import dev.gantry.linux.ErrnoException;
import dev.gantry.linux.Mount;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// SELinux on this node: which labels pods, their containers and their files get. Thread-safe.
///
/// The policy says in `contexts/lxc_contexts` how containers are labelled, and each pod gets two categories of its own
/// (MCS), so that a container that breaks out meets the files and processes of other pods as those of strangers. A
/// request may say any part otherwise. Where the policy says nothing of containers, only those pods get a label that
/// ask for one; without SELinux in the kernel, or with it switched off in the configuration, none do.
public final class Selinux {

    private static final Logger log = LoggerFactory.getLogger(Selinux.class);

    private static final Pattern PART = Pattern.compile("[A-Za-z0-9_.]*");
    private static final Pattern LEVEL = Pattern.compile("[A-Za-z0-9_.:,-]*");
    private static final Pattern SETTING = Pattern.compile("\\s*(\\w+)\\s*=\\s*\"?([^\"#]*?)\"?\\s*");
    /// Beyond it categories would have to be rare for this to be likely.
    private static final int TRIES = 10_000;

    private final Path kernel;
    private final boolean enabled;
    private final int categories;
    /// Of a container that says nothing; empty where the policy says nothing.
    private final SelinuxLabel containers;

    private final SelinuxLabel fallback;
    private final String fileType;
    private final Optional<SelinuxLabel> layers;
    private final Optional<SelinuxLabel> superPrivileged;
    private final SecureRandom random = new SecureRandom();

    /// As this node has it.
    ///
    /// @param categories how many the policy has for containers
    public static Selinux ofNode(int categories) {
        return new Selinux(Path.of("/"), categories);
    }

    public static Selinux off() {
        return new Selinux(Path.of("/nonexistent"), 2);
    }

    /// @param root where `sys`, `proc` and `etc` are
    Selinux(Path root, int categories) {
        this.kernel = root.resolve("sys/fs/selinux");
        this.enabled = isLoaded(root);
        this.categories = categories;
        String level = enabled && isMultiLevel() ? "s0" : "";
        this.fallback = new SelinuxLabel("system_u", "system_r", "container_t", level);
        Path contexts = root.resolve("etc/selinux")
                .resolve(
                        enabled
                                ? setting(root.resolve("etc/selinux/config"), "SELINUXTYPE")
                                        .orElse("")
                                : "")
                .resolve("contexts/lxc_contexts");
        this.containers = of(contexts, "process").orElse(SelinuxLabel.NONE);
        this.fileType = of(contexts, "file").map(SelinuxLabel::type).orElse("container_file_t");
        this.layers = of(contexts, "ro_file");
        this.superPrivileged = Optional.of(new SelinuxLabel("system_u", "system_r", "spc_t", level))
                .filter(it -> !containers.isEmpty() && isKnown(it, "privileged containers have the daemon's label"));
    }

    /// Debian's policy names labels for containers there without having them.
    private Optional<SelinuxLabel> of(Path contexts, String key) {
        return enabled
                ? setting(contexts, key)
                        .map(SelinuxLabel::parse)
                        .filter(it -> isKnown(it, "though its lxc_contexts names it"))
                : Optional.empty();
    }

    private boolean isKnown(SelinuxLabel label, String remark) {
        try {
            var _ = known(label);
            return true;
        } catch (SandboxException.InvalidRequest e) {
            log.atWarn().log("{}: {}", e.getMessage(), remark);
            return false;
        }
    }

    /// A container with the kernel of an SELinux host does not get to see selinuxfs or cannot write to it; and before
    /// a policy is loaded, everything is the kernel's.
    private boolean isLoaded(Path root) {
        return Files.isWritable(kernel.resolve("context"))
                && read(root.resolve("proc/self/attr/current"))
                        .filter(it -> !it.equals("kernel"))
                        .isPresent();
    }

    private boolean isMultiLevel() {
        return read(kernel.resolve("mls")).filter("1"::equals).isPresent();
    }

    boolean enabled() {
        return enabled;
    }

    /// The label of a new pod's processes.
    ///
    /// @param taken tells which levels other pods have
    /// @throws SandboxException.InvalidRequest when it asks for what the policy does not know
    SelinuxLabel ofPod(SelinuxLabel asked, Predicate<String> taken) {
        SelinuxLabel label = complete(asked);
        if (label.isEmpty() || !asked.level().isEmpty() || label.level().isEmpty() || containers.isEmpty()) {
            return label;
        }
        String sensitivity = label.level().split("[:-]", 2)[0];
        for (int tried = 0; tried < TRIES; tried++) {
            int one = random.nextInt(categories);
            int other = random.nextInt(categories);
            String level = "%s:c%d,c%d".formatted(sensitivity, Math.min(one, other), Math.max(one, other));
            if (one != other && !taken.test(level)) {
                return label.at(level);
            }
        }
        throw new SandboxException.Failed(
                "cannot find two of %d SELinux categories that no other pod has; raise runtime.selinux_categories"
                        .formatted(categories),
                null);
    }

    /// @throws SandboxException.InvalidRequest as [#ofPod]
    void check(SelinuxLabel asked) {
        var _ = complete(asked);
    }

    private SelinuxLabel complete(SelinuxLabel asked) {
        if (!enabled || (asked.isEmpty() && containers.isEmpty())) {
            return SelinuxLabel.NONE;
        }
        return known(asked.or(containers).or(fallback));
    }

    /// The label of a container's processes; empty for that of whoever starts it.
    ///
    /// Privileged ones that do not ask for a type may do everything, for which policies have a type of its own.
    ///
    /// @throws SandboxException.InvalidRequest as [#ofPod]
    public String process(SelinuxLabel asked, SelinuxLabel pod, boolean privileged) {
        return privileged && asked.type().isEmpty()
                ? superPrivileged.map(SelinuxLabel::toString).orElse("")
                : known(ofContainer(asked, pod)).toString();
    }

    /// The label of files that such a container may use.
    public String files(SelinuxLabel asked, SelinuxLabel pod) {
        return files(ofContainer(asked, pod));
    }

    /// The label of files that all containers of a pod with this label may use.
    String files(SelinuxLabel label) {
        return !enabled || label.isEmpty()
                ? ""
                : known(new SelinuxLabel(label.user(), "object_r", fileType, label.level()))
                        .toString();
    }

    private SelinuxLabel ofContainer(SelinuxLabel asked, SelinuxLabel pod) {
        if (!enabled || (asked.isEmpty() && pod.isEmpty())) {
            return SelinuxLabel.NONE;
        }
        return asked.or(pod).or(fallback);
    }

    /// What the kernel would not take later, and what would be more than a label in the options of a mount, is refused.
    private SelinuxLabel known(SelinuxLabel label) {
        if (label.isEmpty()) {
            return label;
        }
        boolean written = PART.matcher(label.user()).matches()
                && PART.matcher(label.role()).matches()
                && PART.matcher(label.type()).matches()
                && LEVEL.matcher(label.level()).matches();
        if (!written) {
            throw new SandboxException.InvalidRequest("SELinux label \"%s\" is not written as one".formatted(label));
        }
        try {
            byte[] text = (label + "\0").getBytes(StandardCharsets.US_ASCII);
            Files.write(kernel.resolve("context"), text, StandardOpenOption.WRITE);
            return label;
        } catch (IOException e) {
            throw new SandboxException.InvalidRequest(
                    "the SELinux policy of this node does not know the label %s (%s)".formatted(label, e.getMessage()));
        }
    }

    /// Gives a snapshotter's folder, with all that is in it and will be, the label of what every container may read.
    ///
    /// A root file system has one label whatever its layers have, but kernels look at those when they map a program
    /// into memory. Takes long once, when a node with many images is given SELinux. A failure is told in the log
    /// only: what an image has made of its files must not keep the node from its pods.
    public void labelLayers(Path root) {
        if (layers.isEmpty()) {
            return;
        }
        String label = layers.get().toString();
        try {
            if (!SelinuxRelabel.has(root, label)) {
                SelinuxRelabel.own(root, label);
            }
        } catch (SandboxException | ErrnoException e) {
            log.atError()
                    .setCause(e)
                    .log("cannot label all of {} as {}: programs in containers may fail to start", root, label);
        }
    }

    /// The mounts of a root file system with all its files under one label, whatever they have on the disk. Bind mounts
    /// cannot have that: see [SelinuxRelabel#root].
    ///
    /// @param label empty for none
    public static List<Mount> labelled(List<Mount> mounts, String label) {
        return label.isEmpty()
                ? mounts
                : mounts.stream()
                        .map(it -> it.type().equals("overlay")
                                ? new Mount(it.type(), it.source(), it.target(), with(it.options(), label))
                                : it)
                        .toList();
    }

    /// The options of a mount, and that all its files have a label.
    ///
    /// @param label empty for none
    public static List<String> with(List<String> options, String label) {
        if (label.isEmpty()) {
            return options;
        }
        List<String> more = new ArrayList<>(options);
        more.add("context=\"%s\"".formatted(label)); // in quotes, as levels have commas
        return more;
    }

    private static Optional<String> setting(Path file, String key) {
        return read(file).stream()
                .flatMap(String::lines)
                .map(SETTING::matcher)
                .filter(Matcher::matches)
                .filter(it -> it.group(1).equals(key))
                .map(it -> it.group(2))
                .findFirst();
    }

    private static Optional<String> read(Path file) {
        try {
            return Optional.of(Files.readString(file).replace("\0", "").strip());
        } catch (NoSuchFileException _) {
            return Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file, e);
        }
    }
}
