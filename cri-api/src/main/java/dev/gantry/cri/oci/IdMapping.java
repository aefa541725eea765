package dev.gantry.cri.oci;

/// A range of user or group ids: those of the container from `containerId` on are those of the host from `hostId` on.
public record IdMapping(long containerId, long hostId, long size) {

    static IdMapping read(Members in) {
        return new IdMapping(in.numberOrZero("containerID"), in.numberOrZero("hostID"), in.numberOrZero("size"));
    }

    void write(JsonWriter out) {
        out.requiredNumber("containerID", containerId)
                .requiredNumber("hostID", hostId)
                .requiredNumber("size", size);
    }
}
