package dev.gantry.storage;

import java.nio.charset.StandardCharsets;
import java.util.List;

/// Something to store in tests: has a key, a unique name, and a field that is neither.
record Pet(String id, String name, int age) {

    static final Kind<Pet> KIND =
            new Kind<>("pets", Pet::id, new Lines(), List.of(new Index<>("name", pet -> List.of(pet.name()))));

    private static final class Lines implements Codec<Pet> {

        @Override
        public byte[] encode(Pet pet) {
            return "%s,%s,%d".formatted(pet.id(), pet.name(), pet.age()).getBytes(StandardCharsets.UTF_8);
        }

        @Override
        public Pet decode(byte[] bytes) {
            List<String> fields = List.of(new String(bytes, StandardCharsets.UTF_8).split(",", -1));
            return new Pet(fields.get(0), fields.get(1), Integer.parseInt(fields.get(2)));
        }
    }
}
