package dev.gantry.image;

import dev.gantry.cri.oci.Digest;
import java.util.Optional;
import java.util.regex.Pattern;

/// The name of an image as people write it, made complete: `nginx` is `docker.io/library/nginx:latest`.
///
/// What stands before the first slash is a registry if it has a dot, a colon or a capital letter, or is `localhost`;
/// else the image is one of Docker Hub. A reference may have both a tag and a digest: then the digest alone decides
/// what is pulled, and the tag is not recorded, for it may point elsewhere by now.
public record Reference(String domain, String path, Optional<String> tag, Optional<Digest> digest) {

    private static final String HUB = "docker.io";
    private static final String DEFAULT_TAG = "latest";
    private static final int NAME_LIMIT = 255;

    private static final Pattern LABEL = Pattern.compile("[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?");
    private static final Pattern IPV6 = Pattern.compile("\\[[A-Fa-f0-9:]{2,45}]");
    private static final Pattern PORT = Pattern.compile("[0-9]{1,5}");
    private static final Pattern COMPONENT = Pattern.compile("[a-z0-9]+(?:(?:[.]|_|__|-+)[a-z0-9]+)*");
    private static final Pattern TAG = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}");
    private static final Pattern HEX_ID = Pattern.compile("[a-f0-9]{64}");

    public Reference {
        String name = domain + "/" + path;
        if (!isDomain(domain)) {
            throw new ImageException.InvalidReference(name, "'%s' is not the name of a registry".formatted(domain));
        }
        if (name.length() > NAME_LIMIT) {
            throw new ImageException.InvalidReference(name, "it is longer than %d characters".formatted(NAME_LIMIT));
        }
        for (String component : path.split("/", -1)) {
            if (!COMPONENT.matcher(component).matches()) {
                throw new ImageException.InvalidReference(
                        name, "'%s' is not a part of a repository's name (lower case)".formatted(component));
            }
        }
        tag.filter(text -> !TAG.matcher(text).matches()).ifPresent(text -> {
            throw new ImageException.InvalidReference(name, "'%s' is not a tag".formatted(text));
        });
    }

    /// Reads what a user, a pod or a registry calls an image.
    ///
    /// @throws ImageException.InvalidReference naming the text and what is wrong with it
    public static Reference parse(String text) {
        if (HEX_ID.matcher(text).matches()) {
            throw new ImageException.InvalidReference(text, "it is an image id, not a name");
        }
        int at = text.indexOf('@');
        String named = at < 0 ? text : text.substring(0, at);
        Optional<Digest> digest = at < 0 ? Optional.empty() : Optional.of(digest(text, text.substring(at + 1)));
        int colon = named.lastIndexOf(':');
        boolean tagged = colon > named.lastIndexOf('/');
        Optional<String> tag = tagged ? Optional.of(named.substring(colon + 1)) : Optional.empty();
        if (tag.isEmpty() && digest.isEmpty()) {
            tag = Optional.of(DEFAULT_TAG);
        }
        return complete(text, tagged ? named.substring(0, colon) : named, tag, digest);
    }

    private static Reference complete(String text, String name, Optional<String> tag, Optional<Digest> digest) {
        int slash = name.indexOf('/');
        String first = slash < 0 ? "" : name.substring(0, slash);
        boolean hasDomain = first.indexOf('.') >= 0
                || first.indexOf(':') >= 0
                || first.equals("localhost")
                || first.chars().anyMatch(Character::isUpperCase);
        String domain = hasDomain ? first : HUB;
        String path = hasDomain ? name.substring(slash + 1) : name;
        if (domain.equals("index.docker.io")) {
            domain = HUB;
        }
        if (domain.equals(HUB) && path.indexOf('/') < 0) {
            path = "library/" + path;
        }
        try {
            return new Reference(domain, path, tag, digest);
        } catch (ImageException.InvalidReference e) {
            throw new ImageException.InvalidReference(text, e.problem());
        }
    }

    private static Digest digest(String text, String digest) {
        try {
            return Digest.parse(digest);
        } catch (IllegalArgumentException e) {
            throw new ImageException.InvalidReference(text, String.valueOf(e.getMessage()));
        }
    }

    private static boolean isDomain(String domain) {
        String host = domain;
        int colon = domain.lastIndexOf(':');
        if (colon > domain.lastIndexOf(']')) {
            host = domain.substring(0, colon);
            if (!PORT.matcher(domain.substring(colon + 1)).matches()) {
                return false;
            }
        }
        if (host.startsWith("[")) {
            return IPV6.matcher(host).matches();
        }
        for (String label : host.split("\\.", -1)) {
            if (!LABEL.matcher(label).matches()) {
                return false;
            }
        }
        return true;
    }

    /// `docker.io/library/nginx`: without tag and digest.
    public String name() {
        return domain + "/" + path;
    }

    /// `name:tag`, or empty where there is no tag or a digest overrules it.
    public Optional<String> tagged() {
        return digest.isPresent() ? Optional.empty() : tag.map(text -> name() + ":" + text);
    }

    /// `name@digest`.
    public String withDigest(Digest manifest) {
        return name() + "@" + manifest;
    }

    /// What the registry is asked for: the digest, or else the tag.
    String target() {
        return digest.map(Digest::toString).or(() -> tag).orElse(DEFAULT_TAG);
    }

    @Override
    public String toString() {
        return name()
                + tag.map(text -> ":" + text).orElse("")
                + digest.map(text -> "@" + text).orElse("");
    }
}
