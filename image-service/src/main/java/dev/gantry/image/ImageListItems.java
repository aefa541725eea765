package dev.gantry.image;

import dev.gantry.cri.runtime.v1.Int64Value;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// The CRI messages of images, made once for each: an image changes rarely and is listed often.
final class ImageListItems {

    private static final int LIMIT = 10_000;

    private final Map<String, Item> items = new ConcurrentHashMap<>();

    private record Item(Image image, dev.gantry.cri.runtime.v1.Image message) {}

    @SuppressWarnings("ReferenceEquality") // rows are replaced, never changed
    dev.gantry.cri.runtime.v1.Image of(Image image) {
        String id = image.id().toString();
        Item item = items.get(id);
        if (item == null || item.image() != image) {
            if (items.size() > LIMIT) {
                items.clear();
            }
            item = new Item(image, message(image));
            items.put(id, item);
        }
        return item.message();
    }

    private static dev.gantry.cri.runtime.v1.Image message(Image image) {
        var message = dev.gantry.cri.runtime.v1.Image.newBuilder()
                .setId(image.id().toString())
                .addAllRepoTags(image.tags())
                .addAllRepoDigests(image.digests())
                .setSize(image.size())
                .setPinned(image.pinned());
        // `user:group`; a user is a number or a name, and an image that says nothing has neither.
        String user = image.user().replaceFirst(":.*$", "");
        if (user.matches("[0-9]{1,18}")) {
            message.setUid(Int64Value.newBuilder().setValue(Long.parseLong(user)));
        } else {
            message.setUsername(user);
        }
        return message.build();
    }
}
