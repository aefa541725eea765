package dev.gantry.cri.oci;

import java.util.List;
import java.util.OptionalInt;
import java.util.regex.Pattern;

/// An operating system and a processor, in the names of the image specification, which are Go's: `linux/amd64`,
/// `linux/arm/v7`.
///
/// Common other names (`x86_64`, `aarch64`) are turned into these, and a variant that says nothing more than the
/// architecture does (`arm64/v8`, `amd64/v1`) is left out, so that equal platforms are equal records.
public record Platform(String os, String architecture, String variant, String osVersion, List<String> osFeatures) {

    private static final Pattern LEVEL = Pattern.compile("v?([1-9])(\\.[0-9])?");

    public Platform {
        switch (architecture) {
            case "x86_64", "x86-64" -> architecture = "amd64";
            case "aarch64" -> architecture = "arm64";
            case "i386", "i486", "i586", "i686", "x86" -> architecture = "386";
            case "armhf" -> {
                architecture = "arm";
                variant = "v7";
            }
            case "armel" -> {
                architecture = "arm";
                variant = "v6";
            }
            default -> {}
        }
        variant = shortest(architecture, variant);
        osFeatures = List.copyOf(osFeatures);
    }

    public Platform(String os, String architecture, String variant) {
        this(os, architecture, variant, "", List.of());
    }

    /// Reads `os/architecture` or `os/architecture/variant`.
    ///
    /// @throws IllegalArgumentException for anything else
    public static Platform parse(String text) {
        String[] parts = text.split("/", -1);
        if (parts.length < 2 || parts.length > 3 || List.of(parts).contains("")) {
            throw new IllegalArgumentException("not a platform (os/architecture[/variant]): " + text);
        }
        return new Platform(parts[0], parts[1], parts.length == 3 ? parts[2] : "");
    }

    /// The platform of this machine, the level of its processor included.
    public static Platform host() {
        return HostProcessor.platform();
    }

    /// How well an image for another platform runs on this one, or empty if it does not run. The more an image
    /// makes use of the processor, the higher the number: an amd64 machine of level 3 takes an image for v3 before
    /// one for v2, and one for 386 last of all.
    public OptionalInt preference(Platform image) {
        if (!os.equals(image.os)) {
            return OptionalInt.empty();
        }
        if (architecture.equals(image.architecture)) {
            if (variant.equals(image.variant)) {
                return OptionalInt.of(200 + level());
            }
            return image.level() > 0 && image.level() <= level()
                    ? OptionalInt.of(100 + image.level())
                    : OptionalInt.empty();
        }
        if (architecture.equals("amd64") && image.architecture.equals("386")) {
            return OptionalInt.of(1);
        }
        if (architecture.equals("arm64") && image.architecture.equals("arm")) {
            return OptionalInt.of(image.level());
        }
        return OptionalInt.empty();
    }

    /// Whether an image for another platform runs on this one.
    public boolean runs(Platform image) {
        return preference(image).isPresent();
    }

    static Platform read(Members in) {
        return new Platform(
                in.text("os"),
                in.text("architecture"),
                in.text("variant"),
                in.text("os.version"),
                in.texts("os.features"));
    }

    void write(JsonWriter out) {
        out.requiredText("architecture", architecture)
                .requiredText("os", os)
                .text("os.version", osVersion)
                .texts("os.features", osFeatures)
                .text("variant", variant);
    }

    private int level() {
        return level(architecture, variant);
    }

    /// The number in a variant; what stands for an absent one depends on the architecture. 0 if there is none.
    private static int level(String architecture, String variant) {
        if (variant.isEmpty()) {
            return switch (architecture) {
                case "amd64" -> 1;
                case "arm64" -> 8;
                case "arm" -> 7;
                default -> 0;
            };
        }
        var matcher = LEVEL.matcher(variant);
        return matcher.matches() ? Integer.parseInt(matcher.group(1)) : 0;
    }

    private static String shortest(String architecture, String variant) {
        return switch (architecture) {
            case "amd64" -> variant.equals("v1") || variant.equals("1") ? "" : variant;
            case "arm64" -> variant.equals("v8") || variant.equals("8") ? "" : variant;
            case "arm" -> variant.isEmpty() || variant.equals("7") ? "v7" : variant;
            default -> variant;
        };
    }

    @Override
    public String toString() {
        return variant.isEmpty() ? os + "/" + architecture : os + "/" + architecture + "/" + variant;
    }
}
