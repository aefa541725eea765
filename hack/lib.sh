# shellcheck shell=bash
# lib.sh: the small functions that the scripts in hack/ share; source it after `set -euo pipefail`.

hack=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck disable=SC2034 # for the scripts that source this
root=${hack%/*}

# say TEXT...: a line of progress; stdout is for results.
say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# die TEXT...: what was attempted, on which object, what to do.
die() {
    say "$@"
    exit 1
}

# usage: the comment at the head of the calling script, as its help.
usage() {
    sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "$0" >&2
    exit 2
}

# need COMMAND...: ends the script unless all of them are there.
need() {
    local command missing=()
    for command; do
        command -v "$command" >/dev/null || missing+=("$command")
    done
    [ ${#missing[@]} -eq 0 ] || die "not found: ${missing[*]}; run hack/setup first"
}

need_root() { [ "$(id -u)" -eq 0 ] || die "needs root"; }

# gantry_cache: the folder for what is made once and kept: test tools, images, the VM.
gantry_cache() {
    local dir=${GANTRY_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/gantry}
    mkdir -p "$dir"
    (cd "$dir" && pwd -P)
}

# jdk_feature DIR: the feature number of the JDK there ("25"); fails if there is none.
jdk_feature() {
    [ -x "$1/bin/javac" ] || return 1
    if [ -r "$1/release" ]; then
        sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release"
    else
        "$1/bin/javac" -version 2>&1 | sed -n 's/^javac \([0-9]*\).*/\1/p'
    fi
}

# find_jdk: prints the home of a JDK 25: JAVA_HOME if it is one, else what a distribution installed.
find_jdk() {
    local dir
    for dir in ${JAVA_HOME:+"$JAVA_HOME"} /usr/lib/jvm/*25*; do
        if [ "$(jdk_feature "$dir")" = 25 ]; then
            echo "$dir"
            return
        fi
    done
    return 1
}

tell_about_jdk() {
    cat >&2 <<'TEXT'
A JDK 25 is needed and none was found (JAVA_HOME, then /usr/lib/jvm/*25*).
Where the distribution has one (hack/setup looks for it): apt-get install openjdk-25-jdk-headless.
Elsewhere unpack one, say Temurin's from https://adoptium.net/temurin/releases/?version=25, and export JAVA_HOME=its folder.
TEXT
}

# use_jdk: exports JAVA_HOME; everything that runs maven or java calls it first.
use_jdk() {
    JAVA_HOME=$(find_jdk) || {
        tell_about_jdk
        exit 1
    }
    export JAVA_HOME
}

# find_go: prints the path of a go command, 1.26 or later.
find_go() {
    local go version
    for go in "$(command -v go || true)" /usr/local/go/bin/go /usr/lib/go-*/bin/go; do
        [ -x "$go" ] || continue
        version=$(GOTOOLCHAIN=local "$go" env GOVERSION) || continue
        if [[ $version =~ ^go1\.([0-9]+) ]] && [ "${BASH_REMATCH[1]}" -ge 26 ]; then
            echo "$go"
            return
        fi
    done
    return 1
}

tell_about_go() {
    cat >&2 <<'TEXT'
Go 1.26 or later is needed for the test tools (crictl, critest, runc, containerd) and none was found (PATH, then
/usr/local/go, then /usr/lib/go-*). Nothing that Gantry itself consists of needs it, nor does hack/demo.
Get it from https://go.dev/dl/, unpack it to /usr/local/go, or put its bin folder on PATH.
TEXT
}

# free_port: a TCP port that nothing listens on now; whoever binds it must still be ready to lose a race.
free_port() {
    local port hex
    for _ in {1..100}; do
        port=$((20000 + SRANDOM % 12000))
        printf -v hex ':%04X ' "$port"
        if ! cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep -q "$hex"; then
            echo "$port"
            return
        fi
    done
    die "found no free TCP port in 20000 to 32000"
}

# wait_until SECONDS COMMAND...: runs the command every 50 ms until it succeeds.
wait_until() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.05
    done
}

# port_answers HOST PORT
port_answers() { (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null; }

# running PID NAME: is it there, and still the program we started (its command name begins with NAME)?
running() {
    local comm
    [ -n "$1" ] && read -r comm 2>/dev/null <"/proc/$1/comm" && [[ $comm = "${2:0:15}"* ]]
}

# gone PID NAME: the opposite, a zombie counted as gone.
gone() {
    ! running "$1" "$2" || grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null
}

# stop_process PIDFILE NAME SECONDS: SIGTERM, then SIGKILL when the time is up. A file without its process is no error.
stop_process() {
    local pid
    [ -s "$1" ] || return 0
    pid=$(<"$1")
    if running "$pid" "$2"; then
        kill "$pid" 2>/dev/null || true
        wait_until "$3" gone "$pid" "$2" || {
            say "$2 ($pid) did not end within $3 s, killing it"
            kill -KILL "$pid" 2>/dev/null || true
            wait_until 5 gone "$pid" "$2" || die "$2 ($pid) cannot be killed"
        }
    fi
    rm -f "$1"
}

# free_subnet: an IPv4 network A.B.C (its /24) that no address or route of this host lies in.
free_subnet() {
    local subnet
    for _ in {1..100}; do
        subnet=10.$((128 + SRANDOM % 64)).$((SRANDOM % 256))
        if ! { ip -4 -o address && ip -4 route; } | grep -qF " $subnet."; then
            echo "$subnet"
            return
        fi
    done
    die "found no free /24 in 10.128.0.0 to 10.191.255.0"
}

# cni_network NAME BRIDGE SUBNET DATA: the CNI list that the nodes of tests and benchmarks use; the same for every
# runtime, so that what is measured is the runtime. DATA is the folder of host-local's leases.
cni_network() {
    cat <<JSON
{"cniVersion": "1.0.0", "name": "$1", "plugins": [
  {"type": "bridge", "bridge": "$2", "isGateway": true, "ipMasq": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "dataDir": "$4", "ranges": [[{"subnet": "$3.0/24"}]],
            "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
JSON
}

# unmount_below DIR: every mount in it, the deepest first.
unmount_below() {
    local place
    while read -r place; do
        umount -l "$(printf '%b' "$place")" || say "could not unmount $place"
    done < <(awk -v dir="$1/" 'index($5 "/", dir) == 1 { print $5 }' /proc/self/mountinfo | tac)
}

# remove_unused FOLDER...: those that are empty and that nobody has mounted something over, in whichever mount namespace:
# that mount would go with the folder.
remove_unused() {
    local folder
    for folder; do
        if ! grep -qsF -- " $folder " /proc/[0-9]*/mountinfo; then
            rmdir "$folder" 2>/dev/null || true
        fi
    done
}
