package dev.gantry.runtime;

import dev.gantry.cri.runtime.v1.LinuxContainerSecurityContext;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeSet;

/// Decides which user a container's process is.
///
/// The request's user wins over the image's (`USER` of its Dockerfile: `user`, `uid`, `user:group` and so on). Names
/// are looked up in the image's own files, never in the host's. Without a group, the user's primary group of
/// `/etc/passwd` counts, or root's for an id that is not in there. The primary group is always among the supplementary
/// ones: leaving it out would let a process pass rules that deny it by group (CVE-2023-25173).
final class ContainerUsers {

    private ContainerUsers() {}

    static ContainerUser choose(LinuxContainerSecurityContext security, ImageContent image, UserDatabase users) {
        String user = image.config().user();
        String group = "";
        if (isInRequest(security)) {
            user = security.hasRunAsUser()
                    ? Long.toString(security.getRunAsUser().getValue())
                    : security.getRunAsUsername();
            group = security.hasRunAsGroup()
                    ? Long.toString(security.getRunAsGroup().getValue())
                    : "";
        } else if (user.contains(":")) {
            group = user.substring(user.indexOf(':') + 1);
            user = user.substring(0, user.indexOf(':'));
        }
        return choose(user.isEmpty() ? "0" : user, group, security, image, users);
    }

    private static boolean isInRequest(LinuxContainerSecurityContext security) {
        boolean named = !security.getRunAsUsername().isEmpty();
        if (security.hasRunAsUser() && named) {
            throw new ContainerException.InvalidRequest("run_as_user %d and run_as_username \"%s\" exclude each other"
                    .formatted(security.getRunAsUser().getValue(), security.getRunAsUsername()));
        }
        if (security.hasRunAsGroup() && !security.hasRunAsUser() && !named) {
            throw new ContainerException.InvalidRequest("run_as_group %d needs run_as_user or run_as_username"
                    .formatted(security.getRunAsGroup().getValue()));
        }
        return security.hasRunAsUser() || named;
    }

    private static ContainerUser choose(
            String user, String group, LinuxContainerSecurityContext security, ImageContent image, UserDatabase users) {
        Optional<UserDatabase.User> known;
        long uid;
        if (isNumber(user)) {
            uid = checked("user id", user);
            known = users.user(uid);
        } else {
            known = users.user(user);
            uid = known.map(UserDatabase.User::uid)
                    .orElseThrow(() -> new ContainerException.InvalidRequest(
                            "user \"%s\" is not in /etc/passwd of image %s".formatted(user, image.name())));
        }
        long gid = group.isEmpty() ? known.map(UserDatabase.User::gid).orElse(0L) : groupId(group, image, users);
        return new ContainerUser(uid, gid, groups(gid, known, security, users));
    }

    private static List<Long> groups(
            long gid, Optional<UserDatabase.User> user, LinuxContainerSecurityContext security, UserDatabase users) {
        TreeSet<Long> groups = new TreeSet<>(List.of(gid));
        security.getSupplementalGroupsList()
                .forEach(it -> groups.add(checked("supplemental group", Long.toString(it))));
        switch (security.getSupplementalGroupsPolicy()) {
            case Merge -> user.ifPresent(it -> groups.addAll(users.groupsOf(it.name())));
            case Strict -> {}
            case UNRECOGNIZED ->
                throw new ContainerException.InvalidRequest(
                        "unknown supplemental groups policy %d".formatted(security.getSupplementalGroupsPolicyValue()));
        }
        return List.copyOf(groups);
    }

    private static long groupId(String group, ImageContent image, UserDatabase users) {
        if (isNumber(group)) {
            return checked("group id", group);
        }
        return users.groupId(group)
                .orElseThrow(() -> new ContainerException.InvalidRequest(
                        "group \"%s\" is not in /etc/group of image %s".formatted(group, image.name())));
    }

    private static boolean isNumber(String text) {
        int from = text.startsWith("-") ? 1 : 0;
        return text.length() > from && text.chars().skip(from).allMatch(c -> c >= '0' && c <= '9');
    }

    private static long checked(String what, String id) {
        OptionalLong checked = UserDatabase.id(id);
        return checked.orElseThrow(() -> new ContainerException.InvalidRequest(
                "%s %s is not between 0 and %d".formatted(what, id, Integer.MAX_VALUE)));
    }
}
