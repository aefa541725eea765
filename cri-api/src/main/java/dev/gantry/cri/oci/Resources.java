package dev.gantry.cri.oci;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Limits of a container's cgroup (runtime specification, «Control groups»). Null means that a limit is not touched.
///
/// Its JSON is a member of [Linux], and by itself what a shim's Update call carries. Make one with [#builder()].
///
/// @param pidsLimit 0 or less means unlimited
/// @param rdma by device
/// @param unified files of cgroup v2 and what is written to them
public record Resources(
        List<DeviceRule> devices,
        @Nullable Memory memory,
        @Nullable Cpu cpu,
        @Nullable Long pidsLimit,
        @Nullable BlockIo blockIo,
        List<HugepageLimit> hugepageLimits,
        @Nullable Network network,
        Map<String, Rdma> rdma,
        Map<String, String> unified) {

    public Resources {
        devices = List.copyOf(devices);
        hugepageLimits = List.copyOf(hugepageLimits);
        rdma = Ordered.copyOf(rdma);
        unified = Ordered.copyOf(unified);
    }

    public static Builder builder() {
        return new Builder();
    }

    public byte[] toJson() {
        return JsonWriter.document(this, Resources::write);
    }

    /// @throws MalformedDocumentException if they are no resources
    public static Resources parse(byte[] bytes, String document) {
        return read(Members.of(bytes, document));
    }

    static Resources read(Members in) {
        return new Resources(
                in.objects("devices", DeviceRule::read),
                in.object("memory", Memory::read),
                in.object("cpu", Cpu::read),
                in.object("pids", pids -> pids.requiredNumber("limit")),
                in.object("blockIO", BlockIo::read),
                in.objects("hugepageLimits", HugepageLimit::read),
                in.object("network", Network::read),
                in.objectMap("rdma", Rdma::read),
                in.map("unified"));
    }

    void write(JsonWriter out) {
        out.objects("devices", devices, DeviceRule::write)
                .object("memory", memory, Memory::write)
                .object("cpu", cpu, Cpu::write)
                .object("pids", pidsLimit, (limit, pids) -> pids.requiredNumber("limit", limit))
                .object("blockIO", blockIo, BlockIo::write)
                .objects("hugepageLimits", hugepageLimits, HugepageLimit::write)
                .object("network", network, Network::write)
                .objects("rdma", rdma, Rdma::write)
                .map("unified", unified);
    }

    /// Allows or forbids devices; later rules win. A rule without numbers is for all of its type.
    ///
    /// @param type `a` for all, `b` or `c`; empty means all
    /// @param access letters of `rwm`
    public record DeviceRule(
            boolean allow,
            String type,
            @Nullable Long major,
            @Nullable Long minor,
            String access) {

        /// Forbids all devices: the first rule of every container that is not privileged.
        public static final DeviceRule DENY_ALL = new DeviceRule(false, "", null, null, "rwm");

        /// Allows all devices, as privileged containers have it.
        public static final DeviceRule ALLOW_ALL = new DeviceRule(true, "", null, null, "rwm");

        static DeviceRule read(Members in) {
            return new DeviceRule(
                    in.flag("allow"), in.text("type"), in.number("major"), in.number("minor"), in.text("access"));
        }

        private void write(JsonWriter out) {
            out.requiredFlag("allow", allow)
                    .text("type", type)
                    .number("major", major)
                    .number("minor", minor)
                    .text("access", access);
        }
    }

    /// Memory in bytes; -1 is unlimited. Swap is memory and swap together.
    public record Memory(
            @Nullable Long limit,
            @Nullable Long reservation,
            @Nullable Long swap,
            @Nullable Long kernel,
            @Nullable Long kernelTcp,
            @Nullable Long swappiness,
            boolean disableOomKiller,
            boolean useHierarchy,
            boolean checkBeforeUpdate) {

        public static Builder builder() {
            return new Builder();
        }

        static Memory read(Members in) {
            return new Memory(
                    in.number("limit"),
                    in.number("reservation"),
                    in.number("swap"),
                    in.number("kernel"),
                    in.number("kernelTCP"),
                    in.unsigned("swappiness"),
                    in.flag("disableOOMKiller"),
                    in.flag("useHierarchy"),
                    in.flag("checkBeforeUpdate"));
        }

        private void write(JsonWriter out) {
            out.number("limit", limit)
                    .number("reservation", reservation)
                    .number("swap", swap)
                    .number("kernel", kernel)
                    .number("kernelTCP", kernelTcp)
                    .unsigned("swappiness", swappiness)
                    .flag("disableOOMKiller", disableOomKiller)
                    .flag("useHierarchy", useHierarchy)
                    .flag("checkBeforeUpdate", checkBeforeUpdate);
        }

        /// Collects memory limits.
        public static final class Builder {

            private @Nullable Long limit;
            private @Nullable Long reservation;
            private @Nullable Long swap;
            private @Nullable Long kernel;
            private @Nullable Long kernelTcp;
            private @Nullable Long swappiness;
            private boolean disableOomKiller;
            private boolean useHierarchy;
            private boolean checkBeforeUpdate;

            private Builder() {}

            public Builder limit(long limit) {
                this.limit = limit;
                return this;
            }

            public Builder reservation(long reservation) {
                this.reservation = reservation;
                return this;
            }

            public Builder swap(long swap) {
                this.swap = swap;
                return this;
            }

            public Builder kernel(long kernel) {
                this.kernel = kernel;
                return this;
            }

            public Builder kernelTcp(long kernelTcp) {
                this.kernelTcp = kernelTcp;
                return this;
            }

            public Builder swappiness(long swappiness) {
                this.swappiness = swappiness;
                return this;
            }

            public Builder disableOomKiller(boolean disableOomKiller) {
                this.disableOomKiller = disableOomKiller;
                return this;
            }

            public Builder useHierarchy(boolean useHierarchy) {
                this.useHierarchy = useHierarchy;
                return this;
            }

            public Builder checkBeforeUpdate(boolean checkBeforeUpdate) {
                this.checkBeforeUpdate = checkBeforeUpdate;
                return this;
            }

            public Memory build() {
                return new Memory(
                        limit,
                        reservation,
                        swap,
                        kernel,
                        kernelTcp,
                        swappiness,
                        disableOomKiller,
                        useHierarchy,
                        checkBeforeUpdate);
            }
        }
    }

    /// Processor time: shares are relative, quota and burst are microseconds in each period, -1 for no quota.
    ///
    /// @param cpus processors as in `0-3,7`
    /// @param mems memory nodes in the same form
    /// @param idle 1 puts the group behind all others (cgroup v2)
    public record Cpu(
            @Nullable Long shares,
            @Nullable Long quota,
            @Nullable Long burst,
            @Nullable Long period,
            @Nullable Long realtimeRuntime,
            @Nullable Long realtimePeriod,
            String cpus,
            String mems,
            @Nullable Long idle) {

        public static Builder builder() {
            return new Builder();
        }

        static Cpu read(Members in) {
            return new Cpu(
                    in.unsigned("shares"),
                    in.number("quota"),
                    in.unsigned("burst"),
                    in.unsigned("period"),
                    in.number("realtimeRuntime"),
                    in.unsigned("realtimePeriod"),
                    in.text("cpus"),
                    in.text("mems"),
                    in.number("idle"));
        }

        private void write(JsonWriter out) {
            out.unsigned("shares", shares)
                    .number("quota", quota)
                    .unsigned("burst", burst)
                    .unsigned("period", period)
                    .number("realtimeRuntime", realtimeRuntime)
                    .unsigned("realtimePeriod", realtimePeriod)
                    .text("cpus", cpus)
                    .text("mems", mems)
                    .number("idle", idle);
        }

        /// Collects processor limits.
        public static final class Builder {

            private @Nullable Long shares;
            private @Nullable Long quota;
            private @Nullable Long burst;
            private @Nullable Long period;
            private @Nullable Long realtimeRuntime;
            private @Nullable Long realtimePeriod;
            private String cpus = "";
            private String mems = "";
            private @Nullable Long idle;

            private Builder() {}

            public Builder shares(long shares) {
                this.shares = shares;
                return this;
            }

            public Builder quota(long quota) {
                this.quota = quota;
                return this;
            }

            public Builder burst(long burst) {
                this.burst = burst;
                return this;
            }

            public Builder period(long period) {
                this.period = period;
                return this;
            }

            public Builder realtimeRuntime(long realtimeRuntime) {
                this.realtimeRuntime = realtimeRuntime;
                return this;
            }

            public Builder realtimePeriod(long realtimePeriod) {
                this.realtimePeriod = realtimePeriod;
                return this;
            }

            public Builder cpus(String cpus) {
                this.cpus = cpus;
                return this;
            }

            public Builder mems(String mems) {
                this.mems = mems;
                return this;
            }

            public Builder idle(long idle) {
                this.idle = idle;
                return this;
            }

            public Cpu build() {
                return new Cpu(shares, quota, burst, period, realtimeRuntime, realtimePeriod, cpus, mems, idle);
            }
        }
    }

    /// How many bytes may be in huge pages of a size such as `2MB`; unsigned.
    public record HugepageLimit(String pageSize, long limit) {

        static HugepageLimit read(Members in) {
            return new HugepageLimit(in.requiredText("pageSize"), in.unsignedOrZero("limit"));
        }

        private void write(JsonWriter out) {
            out.requiredText("pageSize", pageSize).requiredUnsigned("limit", limit);
        }
    }

    /// Class and priorities of network traffic (cgroup v1).
    public record Network(@Nullable Long classId, List<InterfacePriority> priorities) {

        public Network {
            priorities = List.copyOf(priorities);
        }

        static Network read(Members in) {
            return new Network(in.number("classID"), in.objects("priorities", InterfacePriority::read));
        }

        private void write(JsonWriter out) {
            out.number("classID", classId).objects("priorities", priorities, InterfacePriority::write);
        }
    }

    /// Priority of traffic on one interface.
    public record InterfacePriority(String name, long priority) {

        static InterfacePriority read(Members in) {
            return new InterfacePriority(in.requiredText("name"), in.numberOrZero("priority"));
        }

        private void write(JsonWriter out) {
            out.requiredText("name", name).requiredNumber("priority", priority);
        }
    }

    /// Limits of one RDMA device.
    public record Rdma(@Nullable Long hcaHandles, @Nullable Long hcaObjects) {

        static Rdma read(Members in) {
            return new Rdma(in.number("hcaHandles"), in.number("hcaObjects"));
        }

        private void write(JsonWriter out) {
            out.number("hcaHandles", hcaHandles).number("hcaObjects", hcaObjects);
        }
    }

    /// Collects limits; what is not set is not touched.
    public static final class Builder {

        private List<DeviceRule> devices = List.of();
        private @Nullable Memory memory;
        private @Nullable Cpu cpu;
        private @Nullable Long pidsLimit;
        private @Nullable BlockIo blockIo;
        private List<HugepageLimit> hugepageLimits = List.of();
        private @Nullable Network network;
        private Map<String, Rdma> rdma = Map.of();
        private Map<String, String> unified = Map.of();

        private Builder() {}

        public Builder devices(List<DeviceRule> devices) {
            this.devices = devices;
            return this;
        }

        public Builder memory(Memory memory) {
            this.memory = memory;
            return this;
        }

        public Builder cpu(Cpu cpu) {
            this.cpu = cpu;
            return this;
        }

        public Builder pidsLimit(long pidsLimit) {
            this.pidsLimit = pidsLimit;
            return this;
        }

        public Builder blockIo(BlockIo blockIo) {
            this.blockIo = blockIo;
            return this;
        }

        public Builder hugepageLimits(List<HugepageLimit> hugepageLimits) {
            this.hugepageLimits = hugepageLimits;
            return this;
        }

        public Builder network(Network network) {
            this.network = network;
            return this;
        }

        public Builder rdma(Map<String, Rdma> rdma) {
            this.rdma = rdma;
            return this;
        }

        public Builder unified(Map<String, String> unified) {
            this.unified = unified;
            return this;
        }

        public Resources build() {
            return new Resources(devices, memory, cpu, pidsLimit, blockIo, hugepageLimits, network, rdma, unified);
        }
    }
}
