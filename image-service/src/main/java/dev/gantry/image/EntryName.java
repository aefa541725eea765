package dev.gantry.image;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/// The name of a member of a layer, made relative and checked: no `..`, and whiteouts (names that stand for the
/// absence of a file, [image-spec](https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#whiteouts)) told
/// from files.
///
/// @param parent the directory, `""` for the root of the layer
/// @param base the last part; of a whiteout the name that it removes; `""` for the root itself
record EntryName(Kind kind, String parent, String base) {

    private static final int LENGTH_LIMIT = 4096;
    private static final String WHITEOUT = ".wh.";
    private static final String RESERVED = ".wh..wh.";
    private static final String OPAQUE = ".wh..wh..opq";

    enum Kind {
        FILE,
        /// Removes `base` of the layers below.
        WHITEOUT,
        /// Removes everything in `parent` that is of the layers below.
        OPAQUE,
        /// A leftover of AUFS, without meaning.
        IGNORED
    }

    /// @throws IOException if the name leads out of the layer or cannot be a file's
    static EntryName parse(String name) throws IOException {
        if (name.length() > LENGTH_LIMIT) {
            throw new IOException("a file name of %d characters".formatted(name.length()));
        }
        List<String> parts = parts(name);
        if (parts.isEmpty()) {
            return new EntryName(Kind.FILE, "", "");
        }
        for (String part : parts) {
            if (part.startsWith(RESERVED) && !part.equals(OPAQUE)) {
                return new EntryName(Kind.IGNORED, "", part);
            }
        }
        String parent = String.join("/", parts.subList(0, parts.size() - 1));
        String base = parts.getLast();
        for (String part : parts.subList(0, parts.size() - 1)) {
            if (part.startsWith(WHITEOUT)) {
                throw new IOException("'%s' lies below a whiteout".formatted(name));
            }
        }
        if (base.equals(OPAQUE)) {
            return new EntryName(Kind.OPAQUE, parent, "");
        }
        if (!base.startsWith(WHITEOUT)) {
            return new EntryName(Kind.FILE, parent, base);
        }
        String removed = base.substring(WHITEOUT.length());
        if (removed.isEmpty() || removed.equals(".") || removed.equals("..")) {
            throw new IOException("whiteout '%s' names no file".formatted(name));
        }
        return new EntryName(Kind.WHITEOUT, parent, removed);
    }

    private static List<String> parts(String name) throws IOException {
        List<String> parts = new ArrayList<>();
        for (String part : name.split("/", -1)) {
            if (part.equals("..")) {
                throw new IOException("'%s' leads out of the layer".formatted(name));
            }
            if (!part.isEmpty() && !part.equals(".")) {
                parts.add(part);
            }
        }
        return parts;
    }

    /// The path below the root of the layer, `.` for the root itself.
    String path() {
        if (base.isEmpty()) {
            return parent.isEmpty() ? "." : parent;
        }
        return parent.isEmpty() ? base : parent + "/" + base;
    }
}
