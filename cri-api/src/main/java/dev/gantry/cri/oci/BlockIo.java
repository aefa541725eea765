package dev.gantry.cri.oci;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// Weights and rates of block devices.
public record BlockIo(
        @Nullable Long weight,
        @Nullable Long leafWeight,
        List<WeightDevice> weightDevices,
        List<ThrottleDevice> readBps,
        List<ThrottleDevice> writeBps,
        List<ThrottleDevice> readIops,
        List<ThrottleDevice> writeIops) {

    public BlockIo {
        weightDevices = List.copyOf(weightDevices);
        readBps = List.copyOf(readBps);
        writeBps = List.copyOf(writeBps);
        readIops = List.copyOf(readIops);
        writeIops = List.copyOf(writeIops);
    }

    static BlockIo read(Members in) {
        return new BlockIo(
                in.number("weight"),
                in.number("leafWeight"),
                in.objects("weightDevice", WeightDevice::read),
                in.objects("throttleReadBpsDevice", ThrottleDevice::read),
                in.objects("throttleWriteBpsDevice", ThrottleDevice::read),
                in.objects("throttleReadIOPSDevice", ThrottleDevice::read),
                in.objects("throttleWriteIOPSDevice", ThrottleDevice::read));
    }

    void write(JsonWriter out) {
        out.number("weight", weight)
                .number("leafWeight", leafWeight)
                .objects("weightDevice", weightDevices, WeightDevice::write)
                .objects("throttleReadBpsDevice", readBps, ThrottleDevice::write)
                .objects("throttleWriteBpsDevice", writeBps, ThrottleDevice::write)
                .objects("throttleReadIOPSDevice", readIops, ThrottleDevice::write)
                .objects("throttleWriteIOPSDevice", writeIops, ThrottleDevice::write);
    }

    /// Weights of one block device.
    public record WeightDevice(
            long major,
            long minor,
            @Nullable Long weight,
            @Nullable Long leafWeight) {

        static WeightDevice read(Members in) {
            return new WeightDevice(
                    in.numberOrZero("major"), in.numberOrZero("minor"), in.number("weight"), in.number("leafWeight"));
        }

        private void write(JsonWriter out) {
            out.requiredNumber("major", major)
                    .requiredNumber("minor", minor)
                    .number("weight", weight)
                    .number("leafWeight", leafWeight);
        }
    }

    /// The highest rate of one block device, in bytes or operations a second; unsigned.
    public record ThrottleDevice(long major, long minor, long rate) {

        static ThrottleDevice read(Members in) {
            return new ThrottleDevice(in.numberOrZero("major"), in.numberOrZero("minor"), in.unsignedOrZero("rate"));
        }

        private void write(JsonWriter out) {
            out.requiredNumber("major", major).requiredNumber("minor", minor).requiredUnsigned("rate", rate);
        }
    }
}
