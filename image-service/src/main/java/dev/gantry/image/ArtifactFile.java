package dev.gantry.image;

import dev.gantry.cri.oci.Descriptor;
import dev.gantry.cri.oci.ImageManifest;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// A file of an artifact: one of its blobs, under the name that its maker gave it.
///
/// @param path relative to the artifact's root, without `.`, `..` and empty names
/// @param blob whose bytes it has
public record ArtifactFile(String path, Descriptor blob) {

    /// Where those who push files put their names; a blob without one is called by its digest.
    private static final String TITLE = "org.opencontainers.image.title";

    private static final int MAX_FILES = 10_000;
    private static final int MAX_NAME = 255;
    private static final int MAX_PATH = 1024;

    /// The files of an artifact.
    ///
    /// @param what names the artifact in messages
    /// @throws ImageException.BadContent when there are too many, or a name that is none or that of two
    static List<ArtifactFile> of(ImageManifest manifest, String what) {
        if (manifest.layers().size() > MAX_FILES) {
            throw new ImageException.BadContent("artifact %s has %d files, more than the %d that are taken"
                    .formatted(what, manifest.layers().size(), MAX_FILES));
        }
        List<ArtifactFile> files = new ArrayList<>();
        for (Descriptor blob : manifest.layers()) {
            String title = blob.annotations().getOrDefault(TITLE, "");
            files.add(new ArtifactFile(title.isEmpty() ? blob.digest().hex() : checked(title, what), blob));
        }
        refuseClashes(files, what);
        return List.copyOf(files);
    }

    /// A hostile name must not lead out of the volume, and one that no program can show helps nobody.
    private static String checked(String title, String what) {
        boolean wrong = title.getBytes(StandardCharsets.UTF_8).length > MAX_PATH
                || title.chars().anyMatch(Character::isISOControl);
        for (String name : title.split("/", -1)) {
            wrong |= name.isEmpty()
                    || name.equals(".")
                    || name.equals("..")
                    || name.getBytes(StandardCharsets.UTF_8).length > MAX_NAME;
        }
        if (wrong) {
            throw new ImageException.BadContent("artifact %s names a file \"%s\", which is no relative path of a file"
                    .formatted(what, title.replaceAll("\\p{Cntrl}", "?")));
        }
        return title;
    }

    /// Two files of one name, or one that is also the folder of another.
    private static void refuseClashes(List<ArtifactFile> files, String what) {
        Set<String> paths = new HashSet<>();
        for (ArtifactFile file : files) {
            if (!paths.add(file.path())) {
                throw new ImageException.BadContent("artifact %s names two files \"%s\"".formatted(what, file.path()));
            }
        }
        for (ArtifactFile file : files) {
            for (int slash = file.path().indexOf('/');
                    slash > 0;
                    slash = file.path().indexOf('/', slash + 1)) {
                String folder = file.path().substring(0, slash);
                if (paths.contains(folder)) {
                    throw new ImageException.BadContent(
                            "artifact %s names \"%s\" as a file and as a folder".formatted(what, folder));
                }
            }
        }
    }
}
