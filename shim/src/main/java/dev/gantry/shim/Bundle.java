package dev.gantry.shim;

import java.nio.file.Path;

/// The folder of one container that shim and daemon share. Its last name is the container's id: shims rely on
/// it.
///
/// Who makes a container makes the folder (mode 0700), `config.json` and `rootfs/`, and removes all of it in
/// the end. This module adds `log` (a FIFO), `bootstrap.json` and `shim-binary-path`; the shim adds files of
/// its own.
public record Bundle(Path directory) {

    public Bundle {
        if (!directory.isAbsolute() || directory.getFileName() == null) {
            throw new IllegalArgumentException("not the path of a bundle: " + directory);
        }
    }

    /// The container's id.
    public String id() {
        return String.valueOf(directory.getFileName());
    }

    public Path config() {
        return directory.resolve("config.json");
    }

    public Path rootfs() {
        return directory.resolve("rootfs");
    }

    Path log() {
        return directory.resolve("log");
    }

    Path bootstrap() {
        return directory.resolve("bootstrap.json");
    }

    /// Where shims up to 1.6 put their address by themselves.
    Path address() {
        return directory.resolve("address");
    }

    Path binary() {
        return directory.resolve("shim-binary-path");
    }
}
