package dev.gantry.shim;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import dev.gantry.cri.runtimeoptions.v1.Options;

/// Options of a shim that drives no runc: a configuration of its own.
///
/// @param type what kind of configuration it is, if the shim wants to know
/// @param path of the configuration's file, or empty
/// @param body the configuration itself, or empty
public record ConfiguredOptions(String type, String path, String body) implements ShimOptions {

    /// Of a shim that is told nothing.
    public static final ConfiguredOptions NONE = new ConfiguredOptions("", "", "");

    @Override
    public Any toAny() {
        if (equals(NONE)) {
            return Any.getDefaultInstance();
        }
        return Any.newBuilder()
                .setTypeUrl(Options.getDescriptor().getFullName())
                .setValue(Options.newBuilder()
                        .setTypeUrl(type)
                        .setConfigPath(path)
                        .setConfigBody(ByteString.copyFromUtf8(body))
                        .build()
                        .toByteString())
                .build();
    }
}
