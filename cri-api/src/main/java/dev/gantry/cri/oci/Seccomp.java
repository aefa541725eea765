package dev.gantry.cri.oci;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.io.SerializedString;

/// A filter of system calls, either as rules or as JSON that was encoded before.
///
/// A profile has hundreds of rules and is the same for most containers of a node, so it is encoded once
/// ([Rules#encode()]) and its bytes are copied into each configuration.
public sealed interface Seccomp {

    /// Reads a profile in the form of the runtime specification, such as one that a pod names on the node's disk.
    ///
    /// @throws MalformedDocumentException if it is none
    static Rules parse(byte[] bytes, String document) {
        return Rules.read(Members.of(bytes, document));
    }

    /// A filter as rules: what matches none of them gets the default action.
    ///
    /// @param defaultErrnoRet the error of the default action if that is SCMP_ACT_ERRNO; null means EPERM
    record Rules(
            String defaultAction,
            @Nullable Long defaultErrnoRet,
            List<String> architectures,
            List<String> flags,
            String listenerPath,
            String listenerMetadata,
            List<Rule> syscalls)
            implements Seccomp {

        public Rules {
            architectures = List.copyOf(architectures);
            flags = List.copyOf(flags);
            syscalls = List.copyOf(syscalls);
        }

        public byte[] toJson() {
            return JsonWriter.document(this, Rules::write);
        }

        public Encoded encode() {
            return new Encoded(new String(toJson(), StandardCharsets.UTF_8));
        }

        static Rules read(Members in) {
            return new Rules(
                    in.requiredText("defaultAction"),
                    in.number("defaultErrnoRet"),
                    in.texts("architectures"),
                    in.texts("flags"),
                    in.text("listenerPath"),
                    in.text("listenerMetadata"),
                    in.objects("syscalls", Rule::read));
        }

        void write(JsonWriter out) {
            out.requiredText("defaultAction", defaultAction)
                    .number("defaultErrnoRet", defaultErrnoRet)
                    .texts("architectures", architectures)
                    .texts("flags", flags)
                    .text("listenerPath", listenerPath)
                    .text("listenerMetadata", listenerMetadata)
                    .objects("syscalls", syscalls, Rule::write);
        }
    }

    /// A filter as JSON. Whoever makes one answers for its being a filter.
    final class Encoded implements Seccomp {

        private final SerializedString json;

        Encoded(String json) {
            this.json = new SerializedString(json);
        }

        SerializedString json() {
            return json;
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Encoded encoded && json.equals(encoded.json);
        }

        @Override
        public int hashCode() {
            return json.hashCode();
        }

        @Override
        public String toString() {
            return json.getValue();
        }
    }

    /// What happens to some system calls if all conditions on their arguments hold.
    record Rule(List<String> names, String action, @Nullable Long errnoRet, List<Condition> args) {

        public Rule {
            names = List.copyOf(names);
            args = List.copyOf(args);
        }

        static Rule read(Members in) {
            return new Rule(
                    in.texts("names"),
                    in.requiredText("action"),
                    in.number("errnoRet"),
                    in.objects("args", Condition::read));
        }

        private void write(JsonWriter out) {
            out.requiredTexts("names", names)
                    .requiredText("action", action)
                    .number("errnoRet", errnoRet)
                    .objects("args", args, Condition::write);
        }
    }

    /// A condition on one argument. The values are unsigned, in the bits of a long; with SCMP_CMP_MASKED_EQ the
    /// first is the mask and the second what must be left.
    record Condition(long index, long value, long valueTwo, String op) {

        static Condition read(Members in) {
            return new Condition(
                    in.numberOrZero("index"),
                    in.unsignedOrZero("value"),
                    in.unsignedOrZero("valueTwo"),
                    in.requiredText("op"));
        }

        private void write(JsonWriter out) {
            out.requiredNumber("index", index).requiredUnsigned("value", value);
            if (valueTwo != 0) {
                out.requiredUnsigned("valueTwo", valueTwo);
            }
            out.requiredText("op", op);
        }
    }
}
