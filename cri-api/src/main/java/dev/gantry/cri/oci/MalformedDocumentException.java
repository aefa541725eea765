package dev.gantry.cri.oci;

import org.jspecify.annotations.Nullable;

/// A JSON document that cannot be used: no JSON, or not what it should be. The message names the document and
/// the member at fault; [#document()] is the name alone.
public final class MalformedDocumentException extends RuntimeException {

    private final String document;

    public MalformedDocumentException(String document, String problem) {
        this(document, problem, null);
    }

    public MalformedDocumentException(String document, String problem, @Nullable Throwable cause) {
        super("cannot read %s: %s".formatted(document, problem), cause);
        this.document = document;
    }

    public String document() {
        return document;
    }
}
