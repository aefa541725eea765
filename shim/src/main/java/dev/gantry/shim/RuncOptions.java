package dev.gantry.shim;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import dev.gantry.cri.containerd.runc.v1.Options;
import java.nio.file.Path;

/// How a shim calls runc or what stands in for it.
///
/// @param root where runc keeps its state; given always, as the default place is shared with others
/// @param binary the OCI runtime: an absolute path, or a name that the shim looks up in PATH
/// @param systemdCgroup whether `cgroupsPath` in the bundles has the form `slice:prefix:name`
public record RuncOptions(Path root, Path binary, boolean systemdCgroup) implements ShimOptions {

    public RuncOptions {
        if (!root.isAbsolute()) {
            throw new IllegalArgumentException("runc's root is not absolute: " + root);
        }
    }

    @Override
    public Any toAny() {
        ByteString options = Options.newBuilder()
                .setRoot(root.toString())
                .setBinaryName(binary.toString())
                .setSystemdCgroup(systemdCgroup)
                .build()
                .toByteString();
        return Any.newBuilder()
                .setTypeUrl(Options.getDescriptor().getFullName())
                .setValue(options)
                .build();
    }
}
