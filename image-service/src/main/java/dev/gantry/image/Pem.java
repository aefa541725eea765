package dev.gantry.image;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// One block of a PEM file (RFC 7468): its label and its bytes.
@SuppressWarnings("ArrayRecordComponent") // never compared
record Pem(String label, byte[] bytes) {

    private static final long FILE_LIMIT = 1 << 20;
    private static final Pattern BLOCK =
            Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\\s]*)-----END \\1-----");

    /// All blocks of a file in their order; text between them is ignored.
    ///
    /// @throws ImageException.BadConfiguration if the file cannot be read
    static List<Pem> read(Path file) {
        List<Pem> blocks = new ArrayList<>();
        try {
            if (Files.size(file) > FILE_LIMIT) {
                throw new ImageException.BadConfiguration(file + " is too large for a PEM file", null);
            }
            Matcher matcher = BLOCK.matcher(Files.readString(file, StandardCharsets.ISO_8859_1));
            while (matcher.find()) {
                blocks.add(new Pem(matcher.group(1), Base64.getMimeDecoder().decode(matcher.group(2))));
            }
        } catch (IOException | IllegalArgumentException e) {
            throw new ImageException.BadConfiguration("cannot read PEM file " + file, e);
        }
        return blocks;
    }
}
