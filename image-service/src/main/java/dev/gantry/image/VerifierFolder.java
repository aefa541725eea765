package dev.gantry.image;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// The folder of the programs that decide on images.
///
/// Whoever can change a program in it, or add or remove one, decides in their place: so the folder, each program, and
/// the folder of a program that a link leads to must belong to root and be writable by nobody else. One that is not so,
/// or is no program at all, is not passed over but makes the folder unusable, for what was meant to stand there might
/// have refused an image.
///
/// @param path need not exist
/// @param most how many programs may be in it
record VerifierFolder(Path path, int most) {

    private static final int TYPE = 0170000;
    private static final int REGULAR = 0100000;
    private static final int EXECUTABLE = 0111;
    private static final int WRITABLE_BY_OTHERS = 0022;

    /// Why the folder cannot be used, and what helps.
    static final class Unusable extends Exception {
        private static final long serialVersionUID = 1;

        private final String remedy;

        Unusable(String problem, String remedy) {
            super(problem);
            this.remedy = remedy;
        }

        Unusable(Path path, Exception cause) {
            super("%s cannot be looked at (%s)".formatted(path, cause), cause);
            this.remedy = "mend or remove it";
        }

        String problem() {
            return Objects.requireNonNull(getMessage());
        }

        String remedy() {
            return remedy;
        }
    }

    /// The programs in the order of their names; none where there is no folder.
    List<Path> programs() throws Unusable {
        List<Path> programs = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(path)) {
            var _ = requireOfRoot(path);
            entries.forEach(programs::add);
        } catch (NoSuchFileException _) {
            return List.of();
        } catch (IOException | DirectoryIteratorException e) {
            throw new Unusable(path, e);
        }
        if (programs.size() > most) {
            throw new Unusable(
                    "%s holds %d programs, but images.verifiers.max is %d".formatted(path, programs.size(), most),
                    "remove some or raise it");
        }
        programs.sort(null);
        for (Path program : programs) {
            requireProgram(program);
        }
        return programs;
    }

    private static void requireProgram(Path program) throws Unusable {
        try {
            Path file = program.toRealPath();
            int mode = requireOfRoot(file);
            if ((mode & TYPE) != REGULAR || (mode & EXECUTABLE) == 0) {
                throw new Unusable("%s is no program".formatted(program), "make it executable, or remove it");
            }
            var _ = requireOfRoot(Objects.requireNonNull(file.getParent()));
        } catch (IOException e) {
            throw new Unusable(program, e);
        }
    }

    /// Returns its type and permissions; links are followed.
    private static int requireOfRoot(Path path) throws IOException, Unusable {
        Map<String, Object> status = Files.readAttributes(path, "unix:mode,uid");
        int mode = (Integer) Objects.requireNonNull(status.get("mode"));
        if (!Objects.equals(status.get("uid"), 0)) {
            throw new Unusable("%s does not belong to root".formatted(path), "look at it, then chown it to root");
        }
        if ((mode & WRITABLE_BY_OTHERS) != 0) {
            throw new Unusable("%s is writable by others than root".formatted(path), "look at it, then chmod go-w it");
        }
        return mode;
    }
}
