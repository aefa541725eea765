package dev.gantry.image;

import dev.gantry.cri.oci.Descriptor;
import dev.gantry.cri.oci.Digest;
import dev.gantry.cri.oci.ImageIndex;
import dev.gantry.cri.oci.ImageManifest;
import dev.gantry.cri.oci.Json;
import dev.gantry.cri.oci.MediaTypes;
import dev.gantry.cri.oci.Platform;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// An image for tests: its blobs by digest, its manifest, and an index over it.
@SuppressWarnings("ArrayRecordComponent") // never compared
record TestImage(byte[] config, byte[] manifest, String manifestType, Map<Digest, byte[]> blobs) {

    static TestImage of(TestLayer.Packed... layers) {
        return of("0", List.of(layers), false);
    }

    static TestImage of(String user, List<TestLayer.Packed> layers, boolean docker) {
        return of(user, Platform.host(), layers, docker);
    }

    static TestImage of(String user, Platform platform, List<TestLayer.Packed> layers, boolean docker) {
        Map<String, @Nullable Object> config = new LinkedHashMap<>();
        config.put("architecture", platform.architecture());
        config.put("os", platform.os());
        config.put("config", new LinkedHashMap<>(Map.of("User", user, "Cmd", List.of("/bin/sh"))));
        List<@Nullable Object> diffIds = new ArrayList<>();
        layers.forEach(layer -> diffIds.add(layer.diffId().toString()));
        config.put("rootfs", new LinkedHashMap<>(Map.of("type", "layers", "diff_ids", diffIds)));
        byte[] configBytes = Json.write(config);
        Map<Digest, byte[]> blobs = new LinkedHashMap<>();
        blobs.put(Digest.of(configBytes), configBytes);
        List<Descriptor> descriptors = new ArrayList<>();
        for (TestLayer.Packed layer : layers) {
            blobs.put(layer.digest(), layer.blob());
            String type = docker ? MediaTypes.DOCKER_LAYER_GZIP : layer.mediaType();
            descriptors.add(new Descriptor(type, layer.digest(), layer.blob().length));
        }
        String configType = docker ? MediaTypes.DOCKER_CONFIG : MediaTypes.OCI_CONFIG;
        String manifestType = docker ? MediaTypes.DOCKER_MANIFEST : MediaTypes.OCI_MANIFEST;
        byte[] manifest = new ImageManifest(
                        manifestType,
                        new Descriptor(configType, Digest.of(configBytes), configBytes.length),
                        descriptors,
                        Map.of())
                .toJson();
        return new TestImage(configBytes, manifest, manifestType, blobs);
    }

    /// An artifact with an empty configuration, as `oras push` makes one.
    ///
    /// @param files by title; a title that begins with `#` is left out
    static TestImage artifact(Map<String, byte[]> files) {
        byte[] empty = {'{', '}'};
        Map<Digest, byte[]> blobs = new LinkedHashMap<>();
        blobs.put(Digest.of(empty), empty);
        List<Descriptor> layers = new ArrayList<>();
        files.forEach((title, bytes) -> {
            blobs.put(Digest.of(bytes), bytes);
            Map<String, String> annotations =
                    title.startsWith("#") ? Map.of() : Map.of("org.opencontainers.image.title", title);
            layers.add(new Descriptor(
                    "application/octet-stream", Digest.of(bytes), bytes.length, List.of(), annotations, null));
        });
        byte[] manifest = new ImageManifest(
                        MediaTypes.OCI_MANIFEST,
                        new Descriptor("application/vnd.oci.empty.v1+json", Digest.of(empty), empty.length),
                        layers,
                        Map.of())
                .toJson();
        return new TestImage(empty, manifest, MediaTypes.OCI_MANIFEST, blobs);
    }

    Digest id() {
        return Digest.of(config);
    }

    Digest digest() {
        return Digest.of(manifest);
    }

    Descriptor descriptor(Platform platform) {
        return new Descriptor(manifestType, digest(), manifest.length, List.of(), Map.of(), platform);
    }

    static byte[] index(Descriptor... manifests) {
        return new ImageIndex(MediaTypes.OCI_INDEX, List.of(manifests), Map.of()).toJson();
    }
}
