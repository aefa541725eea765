package dev.gantry.cli;

import dev.gantry.cri.runtime.v1.Image;
import dev.gantry.cri.runtime.v1.ListImagesRequest;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Mixin;

/// `gantry images`: one line for each name of an image, in the order of the names.
final class ImagesCommand implements Command {

    private record Row(String name, Image image) {}

    @Mixin
    private OutputOption output = new OutputOption();

    @Override
    public int run(Session session) {
        var listing = new Listing("IMAGE", "ID", "SIZE", "PINNED");
        try (Connection connection = session.connect()) {
            connection.images().listImages(ListImagesRequest.getDefaultInstance()).getImagesList().stream()
                    .flatMap(image -> names(image).stream().map(name -> new Row(name, image)))
                    .sorted((a, b) -> a.name().compareTo(b.name()))
                    .forEach(row -> add(listing, row));
        }
        listing.print(session.terminal().out(), output.format);
        return ExitCode.OK.value();
    }

    private static List<String> names(Image image) {
        if (image.getRepoTagsCount() > 0) {
            return image.getRepoTagsList();
        }
        return image.getRepoDigestsCount() > 0 ? List.of(image.getRepoDigests(0)) : List.of("<none>");
    }

    private static void add(Listing listing, Row row) {
        Image image = row.image();
        Map<String, Object> object = new LinkedHashMap<>();
        object.put("name", row.name());
        object.put("id", image.getId());
        object.put("size", image.getSize());
        object.put("pinned", image.getPinned());
        object.put("repoTags", image.getRepoTagsList());
        object.put("repoDigests", image.getRepoDigestsList());
        listing.add(
                List.of(
                        row.name(),
                        Words.shortId(image.getId()),
                        Words.size(image.getSize()),
                        image.getPinned() ? "yes" : "no"),
                object);
    }
}
