package dev.gantry.shim;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnknownFieldSet;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/// What the binary of a shim says about itself, read from `containerd.types.RuntimeInfo`.
///
/// @param name such as `io.containerd.runc.v2`
/// @param version the shim's own, such as `v2.4.2`
/// @param features the JSON that `runc features` prints, if the shim passes it on
public record ShimInfo(String name, String version, Optional<String> features) {

    private static final int NAME = 1;
    private static final int VERSION = 2;
    private static final int FEATURES = 4;

    static ShimInfo parse(byte[] info) throws InvalidProtocolBufferException {
        UnknownFieldSet fields = UnknownFieldSet.parseFrom(info);
        UnknownFieldSet version = UnknownFieldSet.parseFrom(field(fields, VERSION));
        Any features = Any.parseFrom(field(fields, FEATURES));
        return new ShimInfo(
                field(fields, NAME).toStringUtf8(),
                field(version, 1).toStringUtf8(),
                features.getValue().isEmpty()
                        ? Optional.empty()
                        : Optional.of(features.getValue().toString(StandardCharsets.UTF_8)));
    }

    private static ByteString field(UnknownFieldSet fields, int number) {
        var values = fields.getField(number).getLengthDelimitedList();
        return values.isEmpty() ? ByteString.EMPTY : values.getLast();
    }
}
