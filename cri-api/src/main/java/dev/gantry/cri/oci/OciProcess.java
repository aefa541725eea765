package dev.gantry.cri.oci;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// The program of a container, or one that is executed in it later (runtime specification, «Process»).
///
/// Its JSON is a member of a [Spec], and by itself what a shim's Exec call carries. Make one with [#builder()].
///
/// @param env entries of the form `NAME=value`
/// @param cwd an absolute path in the container
/// @param oomScoreAdj null leaves the runtime's own value
public record OciProcess(
        boolean terminal,
        @Nullable ConsoleSize consoleSize,
        User user,
        List<String> args,
        List<String> env,
        String cwd,
        @Nullable Capabilities capabilities,
        List<Rlimit> rlimits,
        boolean noNewPrivileges,
        String apparmorProfile,
        @Nullable Long oomScoreAdj,
        @Nullable Scheduler scheduler,
        String selinuxLabel,
        @Nullable IoPriority ioPriority,
        @Nullable CpuAffinity execCpuAffinity) {

    public OciProcess {
        args = List.copyOf(args);
        env = List.copyOf(env);
        rlimits = List.copyOf(rlimits);
    }

    public static Builder builder() {
        return new Builder();
    }

    /// A builder that starts with the values of this process.
    public Builder toBuilder() {
        var builder = new Builder();
        builder.terminal = terminal;
        builder.consoleSize = consoleSize;
        builder.user = user;
        builder.args = args;
        builder.env = env;
        builder.cwd = cwd;
        builder.capabilities = capabilities;
        builder.rlimits = rlimits;
        builder.noNewPrivileges = noNewPrivileges;
        builder.apparmorProfile = apparmorProfile;
        builder.oomScoreAdj = oomScoreAdj;
        builder.scheduler = scheduler;
        builder.selinuxLabel = selinuxLabel;
        builder.ioPriority = ioPriority;
        builder.execCpuAffinity = execCpuAffinity;
        return builder;
    }

    public byte[] toJson() {
        return JsonWriter.document(this, OciProcess::write);
    }

    /// @throws MalformedDocumentException if it is no process
    public static OciProcess parse(byte[] bytes, String document) {
        return read(Members.of(bytes, document));
    }

    static OciProcess read(Members in) {
        return new OciProcess(
                in.flag("terminal"),
                in.object("consoleSize", ConsoleSize::read),
                in.requiredObject("user", User::read),
                in.texts("args"),
                in.texts("env"),
                in.requiredText("cwd"),
                in.object("capabilities", Capabilities::read),
                in.objects("rlimits", Rlimit::read),
                in.flag("noNewPrivileges"),
                in.text("apparmorProfile"),
                in.number("oomScoreAdj"),
                in.object("scheduler", Scheduler::read),
                in.text("selinuxLabel"),
                in.object("ioPriority", IoPriority::read),
                in.object("execCPUAffinity", CpuAffinity::read));
    }

    void write(JsonWriter out) {
        out.flag("terminal", terminal)
                .object("consoleSize", consoleSize, ConsoleSize::write)
                .object("user", user, User::write)
                .texts("args", args)
                .texts("env", env)
                .requiredText("cwd", cwd)
                .object("capabilities", capabilities, Capabilities::write)
                .objects("rlimits", rlimits, Rlimit::write)
                .flag("noNewPrivileges", noNewPrivileges)
                .text("apparmorProfile", apparmorProfile)
                .number("oomScoreAdj", oomScoreAdj)
                .object("scheduler", scheduler, Scheduler::write)
                .text("selinuxLabel", selinuxLabel)
                .object("ioPriority", ioPriority, IoPriority::write)
                .object("execCPUAffinity", execCpuAffinity, CpuAffinity::write);
    }

    /// Size of the terminal at the start, in characters.
    public record ConsoleSize(long height, long width) {

        static ConsoleSize read(Members in) {
            return new ConsoleSize(in.requiredNumber("height"), in.requiredNumber("width"));
        }

        private void write(JsonWriter out) {
            out.requiredNumber("height", height).requiredNumber("width", width);
        }
    }

    /// Ids of the user and the groups. Names are resolved before: the runtime knows numbers only.
    ///
    /// @param umask null leaves the runtime's own value
    public record User(long uid, long gid, @Nullable Long umask, List<Long> additionalGids) {

        public User {
            additionalGids = List.copyOf(additionalGids);
        }

        public User(long uid, long gid) {
            this(uid, gid, null, List.of());
        }

        public User(long uid, long gid, List<Long> additionalGids) {
            this(uid, gid, null, additionalGids);
        }

        static User read(Members in) {
            return new User(
                    in.numberOrZero("uid"), in.numberOrZero("gid"), in.number("umask"), in.numbers("additionalGids"));
        }

        private void write(JsonWriter out) {
            out.requiredNumber("uid", uid)
                    .requiredNumber("gid", gid)
                    .number("umask", umask)
                    .numbers("additionalGids", additionalGids);
        }
    }

    /// The five capability sets, by names such as `CAP_NET_RAW`.
    public record Capabilities(
            List<String> bounding,
            List<String> effective,
            List<String> inheritable,
            List<String> permitted,
            List<String> ambient) {

        public Capabilities {
            bounding = List.copyOf(bounding);
            effective = List.copyOf(effective);
            inheritable = List.copyOf(inheritable);
            permitted = List.copyOf(permitted);
            ambient = List.copyOf(ambient);
        }

        static Capabilities read(Members in) {
            return new Capabilities(
                    in.texts("bounding"),
                    in.texts("effective"),
                    in.texts("inheritable"),
                    in.texts("permitted"),
                    in.texts("ambient"));
        }

        private void write(JsonWriter out) {
            out.texts("bounding", bounding)
                    .texts("effective", effective)
                    .texts("inheritable", inheritable)
                    .texts("permitted", permitted)
                    .texts("ambient", ambient);
        }
    }

    /// A limit such as `RLIMIT_NOFILE`; the values are unsigned, so that -1 is infinity.
    public record Rlimit(String type, long soft, long hard) {

        static Rlimit read(Members in) {
            return new Rlimit(in.requiredText("type"), in.unsignedOrZero("soft"), in.unsignedOrZero("hard"));
        }

        private void write(JsonWriter out) {
            out.requiredText("type", type).requiredUnsigned("hard", hard).requiredUnsigned("soft", soft);
        }
    }

    /// How the kernel schedules the process; times in nanoseconds, for SCHED_DEADLINE.
    public record Scheduler(
            String policy,
            @Nullable Long nice,
            @Nullable Long priority,
            List<String> flags,
            @Nullable Long runtime,
            @Nullable Long deadline,
            @Nullable Long period) {

        public Scheduler {
            flags = List.copyOf(flags);
        }

        static Scheduler read(Members in) {
            return new Scheduler(
                    in.requiredText("policy"),
                    in.number("nice"),
                    in.number("priority"),
                    in.texts("flags"),
                    in.unsigned("runtime"),
                    in.unsigned("deadline"),
                    in.unsigned("period"));
        }

        private void write(JsonWriter out) {
            out.requiredText("policy", policy)
                    .number("nice", nice)
                    .number("priority", priority)
                    .texts("flags", flags)
                    .unsigned("runtime", runtime)
                    .unsigned("deadline", deadline)
                    .unsigned("period", period);
        }
    }

    /// Class (`IOPRIO_CLASS_BE` and so on) and priority of input and output.
    public record IoPriority(String ioClass, long priority) {

        static IoPriority read(Members in) {
            return new IoPriority(in.requiredText("class"), in.numberOrZero("priority"));
        }

        private void write(JsonWriter out) {
            out.requiredText("class", ioClass).requiredNumber("priority", priority);
        }
    }

    /// Processors of an exec before and after it is moved to the container's cgroup, as in `0-3,7`.
    public record CpuAffinity(String initial, String last) {

        static CpuAffinity read(Members in) {
            return new CpuAffinity(in.text("initial"), in.text("final"));
        }

        private void write(JsonWriter out) {
            out.text("initial", initial).text("final", last);
        }
    }

    /// Collects a process: by default root, in `/`, with no capabilities.
    public static final class Builder {

        private boolean terminal;
        private @Nullable ConsoleSize consoleSize;
        private User user = new User(0, 0);
        private List<String> args = List.of();
        private List<String> env = List.of();
        private String cwd = "/";
        private @Nullable Capabilities capabilities;
        private List<Rlimit> rlimits = List.of();
        private boolean noNewPrivileges;
        private String apparmorProfile = "";
        private @Nullable Long oomScoreAdj;
        private @Nullable Scheduler scheduler;
        private String selinuxLabel = "";
        private @Nullable IoPriority ioPriority;
        private @Nullable CpuAffinity execCpuAffinity;

        private Builder() {}

        public Builder terminal(boolean terminal) {
            this.terminal = terminal;
            return this;
        }

        public Builder consoleSize(ConsoleSize consoleSize) {
            this.consoleSize = consoleSize;
            return this;
        }

        public Builder user(User user) {
            this.user = user;
            return this;
        }

        public Builder args(List<String> args) {
            this.args = args;
            return this;
        }

        public Builder env(List<String> env) {
            this.env = env;
            return this;
        }

        public Builder cwd(String cwd) {
            this.cwd = cwd;
            return this;
        }

        public Builder capabilities(Capabilities capabilities) {
            this.capabilities = capabilities;
            return this;
        }

        public Builder rlimits(List<Rlimit> rlimits) {
            this.rlimits = rlimits;
            return this;
        }

        public Builder noNewPrivileges(boolean noNewPrivileges) {
            this.noNewPrivileges = noNewPrivileges;
            return this;
        }

        public Builder apparmorProfile(String apparmorProfile) {
            this.apparmorProfile = apparmorProfile;
            return this;
        }

        public Builder oomScoreAdj(long oomScoreAdj) {
            this.oomScoreAdj = oomScoreAdj;
            return this;
        }

        public Builder scheduler(Scheduler scheduler) {
            this.scheduler = scheduler;
            return this;
        }

        public Builder selinuxLabel(String selinuxLabel) {
            this.selinuxLabel = selinuxLabel;
            return this;
        }

        public Builder ioPriority(IoPriority ioPriority) {
            this.ioPriority = ioPriority;
            return this;
        }

        public Builder execCpuAffinity(CpuAffinity execCpuAffinity) {
            this.execCpuAffinity = execCpuAffinity;
            return this;
        }

        public OciProcess build() {
            return new OciProcess(
                    terminal,
                    consoleSize,
                    user,
                    args,
                    env,
                    cwd,
                    capabilities,
                    rlimits,
                    noNewPrivileges,
                    apparmorProfile,
                    oomScoreAdj,
                    scheduler,
                    selinuxLabel,
                    ioPriority,
                    execCpuAffinity);
        }
    }
}
