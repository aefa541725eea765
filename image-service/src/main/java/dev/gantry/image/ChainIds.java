package dev.gantry.image;

import dev.gantry.cri.oci.Digest;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// The identities of stacks of layers: of the lowest, of the lowest two, and so on
/// ([image-spec](https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md#layer-chainid)).
final class ChainIds {

    private ChainIds() {}

    /// One for each layer, in the same order.
    static List<Digest> of(List<Digest> diffIds) {
        List<Digest> chain = new ArrayList<>(diffIds.size());
        for (Digest diffId : diffIds) {
            chain.add(
                    chain.isEmpty()
                            ? diffId
                            : Digest.of((chain.getLast() + " " + diffId).getBytes(StandardCharsets.US_ASCII)));
        }
        return chain;
    }
}
