package dev.gantry.cri.oci;

import java.io.ByteArrayOutputStream;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.TokenStreamFactory;
import tools.jackson.core.exc.StreamConstraintsException;
import tools.jackson.core.json.JsonFactory;

/// JSON as plain values: `LinkedHashMap`, `ArrayList`, `String`, `Long`, `BigDecimal`, `Boolean` and null.
///
/// Documents may be hostile. A document must be UTF-8 and hold exactly one value; objects with two members of one
/// name are refused, because programs differ in which one they take, and so is nesting deeper than
/// [#NESTING_LIMIT]. The caller bounds the length by not reading more bytes than it wants.
public final class Json {

    /// How deep objects and arrays may be nested.
    public static final int NESTING_LIMIT = 100;

    private static final JsonFactory FACTORY = JsonFactory.builder()
            .disable(TokenStreamFactory.Feature.CHARSET_DETECTION)
            .disable(TokenStreamFactory.Feature.INTERN_PROPERTY_NAMES)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(NESTING_LIMIT)
                    .build())
            .build();

    /// A whole document that [#write] has made, to stand in another one without being read.
    public record Written(String document) {}

    private Json() {}

    /// Reads a document that has no name of its own.
    ///
    /// @throws MalformedDocumentException if the bytes are not one JSON value
    public static @Nullable Object parse(byte[] bytes) {
        return parse(bytes, "JSON document");
    }

    /// Reads a document; its name appears in the message of a failure.
    ///
    /// Maps and lists of the result are new and can be changed. Whole numbers are `Long`, or `BigDecimal` where
    /// they do not fit; other numbers are `BigDecimal`.
    ///
    /// @throws MalformedDocumentException if the bytes are not one JSON value
    public static @Nullable Object parse(byte[] bytes, String document) {
        try (JsonParser parser = FACTORY.createParser(ObjectReadContext.empty(), bytes)) {
            if (parser.nextToken() == null) {
                throw new MalformedDocumentException(document, "it is empty");
            }
            Object value = value(parser, document);
            if (parser.nextToken() != null) {
                throw new MalformedDocumentException(document, "something follows its end" + place(parser));
            }
            return value;
        } catch (StreamConstraintsException e) {
            throw new MalformedDocumentException(document, "it is beyond a limit: " + e.getOriginalMessage(), e);
        } catch (JacksonException e) {
            var place = e.getLocation();
            String where = place == null ? "" : " at line %d".formatted(place.getLineNr());
            throw new MalformedDocumentException(document, e.getOriginalMessage() + where, e);
        }
    }

    /// Writes what [#parse(byte[])] returns, or the same types made otherwise; `Integer`, `BigInteger` and [Written]
    /// too.
    ///
    /// @throws IllegalArgumentException for a value of another type
    public static byte[] write(@Nullable Object value) {
        var out = new ByteArrayOutputStream(512);
        try (JsonGenerator generator = generator(out)) {
            write(generator, value);
        } catch (JacksonException e) {
            throw new IllegalArgumentException("cannot write JSON: " + e.getOriginalMessage(), e);
        }
        return out.toByteArray();
    }

    static JsonGenerator generator(ByteArrayOutputStream out) {
        return FACTORY.createGenerator(ObjectWriteContext.empty(), out);
    }

    private static @Nullable Object value(JsonParser parser, String document) {
        return switch (parser.currentToken()) {
            case START_OBJECT -> object(parser, document);
            case START_ARRAY -> array(parser, document);
            case VALUE_STRING -> text(parser.getString(), parser, document);
            case VALUE_NUMBER_INT -> whole(parser);
            case VALUE_NUMBER_FLOAT -> parser.getDecimalValue();
            case VALUE_TRUE -> true;
            case VALUE_FALSE -> false;
            case VALUE_NULL -> null;
            case JsonToken other -> throw new MalformedDocumentException(document, "unexpected " + other);
        };
    }

    private static Map<String, @Nullable Object> object(JsonParser parser, String document) {
        Map<String, @Nullable Object> members = new LinkedHashMap<>();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String name = text(parser.currentName(), parser, document);
            if (members.containsKey(name)) {
                throw new MalformedDocumentException(
                        document, "member %s stands there twice%s".formatted(name, place(parser)));
            }
            parser.nextToken();
            members.put(name, value(parser, document));
        }
        return members;
    }

    private static List<@Nullable Object> array(JsonParser parser, String document) {
        List<@Nullable Object> elements = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            elements.add(value(parser, document));
        }
        return elements;
    }

    private static Object whole(JsonParser parser) {
        return switch (parser.getNumberType()) {
            case INT, LONG -> parser.getLongValue();
            default -> new BigDecimal(parser.getBigIntegerValue());
        };
    }

    /// Half a surrogate pair, which only an escape can bring in, could not be written again.
    private static String text(String text, JsonParser parser, String document) {
        int at = 0;
        while (at < text.length()) {
            int character = text.codePointAt(at);
            if (character >= Character.MIN_SURROGATE && character <= Character.MAX_SURROGATE) {
                throw new MalformedDocumentException(document, "a string is not valid Unicode" + place(parser));
            }
            at += Character.charCount(character);
        }
        return text;
    }

    private static String place(JsonParser parser) {
        return " at line %d".formatted(parser.currentTokenLocation().getLineNr());
    }

    private static void write(JsonGenerator generator, @Nullable Object value) {
        switch (value) {
            case null -> generator.writeNull();
            case String text -> generator.writeString(text);
            case Boolean flag -> generator.writeBoolean(flag);
            case Integer number -> generator.writeNumber(number);
            case Long number -> generator.writeNumber(number);
            case BigInteger number -> generator.writeNumber(number);
            case BigDecimal number -> generator.writeNumber(number);
            case Written written -> generator.writeRawValue(written.document());
            case Map<?, ?> members -> writeObject(generator, members);
            case List<?> elements -> {
                generator.writeStartArray();
                elements.forEach(element -> write(generator, element));
                generator.writeEndArray();
            }
            default ->
                throw new IllegalArgumentException(
                        "cannot write %s as JSON".formatted(value.getClass().getName()));
        }
    }

    private static void writeObject(JsonGenerator generator, Map<?, ?> members) {
        generator.writeStartObject();
        members.forEach((name, value) -> {
            generator.writeName((String) name);
            write(generator, value);
        });
        generator.writeEndObject();
    }
}
