package dev.gantry.runtime;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Predicate;
import java.util.stream.Stream;

/// The users and groups of an image: the text of its `/etc/passwd` and `/etc/group`.
///
/// Kept as text, which is small, and searched when asked. Lines that are not in the format of passwd(5) or group(5),
/// or have an id out of range, are as if they were not there.
///
///     www:x:33:33:www:/var/www:/usr/sbin/nologin
///     audio:x:29:www,games
record UserDatabase(String passwd, String group) {

    /// Linux's own limit (`PATH_MAX`).
    private static final int MAX_PATH = 4096;

    static final UserDatabase EMPTY = new UserDatabase("", "");

    /// A line of `/etc/passwd`.
    ///
    /// @param home a plain absolute path, or empty
    record User(String name, long uid, long gid, String home) {

        User {
            boolean plain = home.startsWith("/") && home.length() <= MAX_PATH && home.indexOf('\0') < 0;
            home = plain ? home : "";
        }
    }

    static UserDatabase of(byte[] passwd, byte[] group) {
        return new UserDatabase(new String(passwd, StandardCharsets.UTF_8), new String(group, StandardCharsets.UTF_8));
    }

    int length() {
        return passwd.length() + group.length();
    }

    Optional<User> user(String name) {
        return user(it -> it.name().equals(name));
    }

    /// The first user of that id.
    Optional<User> user(long uid) {
        return user(it -> it.uid() == uid);
    }

    /// Where a user is at home: in `/` where nothing is known of it.
    String home(long uid) {
        return user(uid).map(User::home).filter(it -> !it.isEmpty()).orElse("/");
    }

    OptionalLong groupId(String name) {
        return groups().filter(it -> it[0].equals(name))
                .mapToLong(it -> id(it[2]).orElseThrow())
                .findFirst();
    }

    /// The groups that list a user as a member.
    List<Long> groupsOf(String user) {
        return groups().filter(it ->
                        it.length > 3 && Arrays.asList(it[3].split(",", -1)).contains(user))
                .map(it -> id(it[2]).orElseThrow())
                .toList();
    }

    /// An id in decimal digits; nothing when it is none, or over 2³¹−1 (CVE-2024-40635).
    static OptionalLong id(String text) {
        boolean digits = !text.isEmpty() && text.length() <= 10 && text.chars().allMatch(c -> c >= '0' && c <= '9');
        if (!digits) {
            return OptionalLong.empty();
        }
        long id = Long.parseLong(text);
        return id <= Integer.MAX_VALUE ? OptionalLong.of(id) : OptionalLong.empty();
    }

    private Optional<User> user(Predicate<User> wanted) {
        return lines(passwd)
                .filter(it ->
                        it.length >= 4 && id(it[2]).isPresent() && id(it[3]).isPresent())
                .map(it ->
                        new User(it[0], id(it[2]).orElseThrow(), id(it[3]).orElseThrow(), it.length > 5 ? it[5] : ""))
                .filter(wanted)
                .findFirst();
    }

    private Stream<String[]> groups() {
        return lines(group).filter(it -> it.length >= 3 && id(it[2]).isPresent());
    }

    private static Stream<String[]> lines(String text) {
        return text.lines().map(line -> line.strip().split(":", -1)).filter(it -> !it[0].isEmpty());
    }
}
