package dev.gantry.image;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// What a registry wants to see before it answers, from a `WWW-Authenticate` header (RFC 9110, section 11.6.1):
///
/// ```
/// Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull"
/// ```
///
/// @param scheme in lower case
/// @param parameters names in lower case
record Challenge(String scheme, Map<String, String> parameters) {

    Challenge {
        parameters = Map.copyOf(parameters);
    }

    Optional<String> parameter(String name) {
        return Optional.ofNullable(parameters.get(name)).filter(value -> !value.isEmpty());
    }

    /// Reads all challenges of all headers. What cannot be read ends that header; it is no error, because the caller
    /// looks for a challenge it can answer and says what it saw if there is none.
    static List<Challenge> parse(List<String> headers) {
        List<Challenge> challenges = new ArrayList<>();
        for (String header : headers) {
            new Parser(header).readInto(challenges);
        }
        return challenges;
    }

    private static final class Parser {
        private final String text;
        private int at;

        Parser(String text) {
            this.text = text;
        }

        void readInto(List<Challenge> challenges) {
            String word = nextWord();
            while (!word.isEmpty()) {
                String scheme = word.toLowerCase(Locale.ROOT);
                Map<String, String> parameters = new LinkedHashMap<>();
                word = nextWord();
                while (!word.isEmpty() && skip('=')) {
                    parameters.putIfAbsent(word.toLowerCase(Locale.ROOT), value());
                    word = nextWord();
                }
                challenges.add(new Challenge(scheme, parameters));
            }
        }

        private String nextWord() {
            while (at < text.length() && (isSpace(text.charAt(at)) || text.charAt(at) == ',')) {
                at++;
            }
            return token();
        }

        private String token() {
            int start = at;
            while (at < text.length() && isTokenCharacter(text.charAt(at))) {
                at++;
            }
            return text.substring(start, at);
        }

        private boolean skip(char wanted) {
            int start = at;
            while (at < text.length() && isSpace(text.charAt(at))) {
                at++;
            }
            if (at < text.length() && text.charAt(at) == wanted) {
                at++;
                return true;
            }
            at = start;
            return false;
        }

        private String value() {
            return skip('"') ? quoted() : token();
        }

        private String quoted() {
            StringBuilder value = new StringBuilder();
            while (at < text.length()) {
                char c = text.charAt(at++);
                if (c == '"') {
                    break;
                }
                if (c == '\\' && at < text.length()) {
                    c = text.charAt(at++);
                }
                value.append(c);
            }
            return value.toString();
        }

        private static boolean isSpace(char c) {
            return c == ' ' || c == '\t';
        }

        private static boolean isTokenCharacter(char c) {
            return (c >= 'a' && c <= 'z')
                    || (c >= 'A' && c <= 'Z')
                    || (c >= '0' && c <= '9')
                    || "!#$%&'*+-.^_`|~/".indexOf(c) >= 0;
        }
    }
}
