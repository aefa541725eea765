package dev.gantry.cli;

import dev.gantry.cli.YamlDocument.Malformed;
import io.fabric8.kubernetes.api.model.Pod;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DatabindException;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.cfg.CoercionAction;
import tools.jackson.databind.cfg.CoercionInputShape;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.type.LogicalType;

/// Reads a pod manifest and refuses what cannot be carried out: text that is no YAML, several
/// documents, fields that Kubernetes does not know, fields that it knows and we do not carry out,
/// values of a wrong type. All fields that are refused are named at once.
final class ManifestReader {

    /// No pod is as long as this; what is longer is no manifest.
    private static final long MAX_SIZE = 3 << 20;

    private ManifestReader() {}

    static Manifest read(Path file) {
        try {
            if (Files.isRegularFile(file) && Files.size(file) > MAX_SIZE) {
                throw new CliException.BadManifest(List.of(file + ": is too long for a manifest"));
            }
            return read(file.toString(), Files.readString(file));
        } catch (NoSuchFileException e) {
            throw new CliException.Usage("there is no file " + file);
        } catch (CharacterCodingException e) {
            throw new CliException.BadManifest(List.of(file + ": is not UTF-8 text"));
        } catch (IOException e) {
            throw new CliException.Usage("cannot read %s: %s".formatted(file, e.getMessage()));
        }
    }

    static Manifest read(String name, String text) {
        YamlDocument document;
        try {
            document = YamlDocument.parse(text);
        } catch (Malformed e) {
            throw new CliException.BadManifest(List.of(
                    "%s:%d:%d: %s".formatted(name, e.place().line(), e.place().column(), e.getMessage())));
        }
        if (!(document.value() instanceof Map<?, ?> root)) {
            throw new CliException.BadManifest(List.of(name + ": is no Pod manifest, but a single value"));
        }
        refuseOtherKinds(name, document, root);
        List<String> problems = new ArrayList<>();
        FieldCheck.of(root)
                .forEach((path, sentence) -> problems.add(Manifest.problem(name, document.places(), path, sentence)));
        if (!problems.isEmpty()) {
            throw new CliException.BadManifest(problems);
        }
        return new Manifest(name, pod(name, document), document.places());
    }

    private static void refuseOtherKinds(String name, YamlDocument document, Map<?, ?> root) {
        Object kind = root.get("kind");
        Object version = root.get("apiVersion");
        if (!"Pod".equals(kind) || !"v1".equals(version)) {
            throw new CliException.BadManifest(List.of(Manifest.problem(
                    name,
                    document.places(),
                    "Pod".equals(kind) ? "apiVersion" : "kind",
                    "only kind Pod of apiVersion v1 can be run, this is kind %s of apiVersion %s"
                            .formatted(kind, version))));
        }
    }

    private static Pod pod(String name, YamlDocument document) {
        try {
            return mapper().convertValue(document.value(), Pod.class);
        } catch (DatabindException e) {
            String path = path(e);
            throw new CliException.BadManifest(List.of(Manifest.problem(
                    name, document.places(), path, "%s: %s".formatted(path, firstLine(e.getOriginalMessage())))));
        }
    }

    /// Kubernetes takes no number for a string and no string for a number; nor do we.
    private static JsonMapper mapper() {
        return JsonMapper.builder()
                .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
                .withCoercionConfig(
                        LogicalType.Textual,
                        config -> config.setCoercion(CoercionInputShape.Integer, CoercionAction.Fail)
                                .setCoercion(CoercionInputShape.Float, CoercionAction.Fail)
                                .setCoercion(CoercionInputShape.Boolean, CoercionAction.Fail))
                .build();
    }

    private static String path(DatabindException e) {
        var path = new StringBuilder();
        for (JacksonException.Reference step : e.getPath()) {
            if (step.getPropertyName() == null) {
                path.append('[').append(step.getIndex()).append(']');
            } else {
                path.append(path.isEmpty() ? "" : ".").append(step.getPropertyName());
            }
        }
        return path.toString();
    }

    private static String firstLine(String text) {
        return text.lines().findFirst().orElse("has a value of the wrong type");
    }
}
