# shellcheck shell=bash
# launch.sh: what bin/gantryd and bin/gantry have in common. Sets `home` and `java`.

# shellcheck disable=SC2034 # for the launchers that source this
home=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd -P)

# feature_of DIR: the feature number of the Java runtime there ("25").
feature_of() {
    local line
    [ -x "$1/bin/java" ] && [ -r "$1/release" ] || return 1
    while read -r line; do
        case $line in
            JAVA_VERSION=*)
                line=${line#*\"}
                echo "${line%%[.\"]*}"
                return
                ;;
        esac
    done <"$1/release"
}

find_java() {
    local dir
    if [ -n "${GANTRY_JAVA_HOME:-}" ]; then
        java=$GANTRY_JAVA_HOME/bin/java
        return
    fi
    for dir in ${JAVA_HOME:+"$JAVA_HOME"} /usr/lib/jvm/*25* /opt/*jdk*25*; do
        if [ "$(feature_of "$dir")" = 25 ]; then
            java=$dir/bin/java
            return
        fi
    done
    echo "${0##*/}: needs Java 25 and found none in JAVA_HOME or /usr/lib/jvm; set GANTRY_JAVA_HOME to its folder" >&2
    exit 1
}

find_java
