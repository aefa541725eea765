#!/usr/bin/env bash
# Runs inside the node VM for SelinuxVmIT: selinux-vm.sh DISTRIBUTION CLASSES JAVA. Starts the daemon under a policy that is
# enforced and knows containers, and runs pods.
set -euo pipefail
dist=$1 classes=$2
export GANTRY_JAVA_HOME=$3

gantryd() {
    rm -f /run/gantry/gantry.sock
    "$dist/bin/gantryd" --set images.builtin=/srv/images >>gantryd.log 2>&1 &
    daemon=$!
    for _ in {1..600}; do
        [ ! -S /run/gantry/gantry.sock ] || break
        kill -0 "$daemon" 2>/dev/null || break
        sleep 0.2
    done
}

client() { # PART
    "$GANTRY_JAVA_HOME/bin/java" -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "$dist/lib/gantryd.jar:$classes" \
        dev.gantry.daemon.VmSelinux /run/gantry/gantry.sock "$1"
}

network=/etc/cni/net.d/10-pods.conflist
mkdir -p "${network%/*}"
cat >"$network" <<'JSON'
{"cniVersion": "1.0.0", "name": "pods", "plugins": [
    {"type": "bridge", "bridge": "pods0", "isGateway": true,
     "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.99.0.0/24"}]]}}]}
JSON
mkdir -p /srv/node /srv/shared /srv/images
echo secret >/srv/node/file
echo shared >/srv/shared/file
cp -r "$dist"/share/images/* images/* /srv/images/

status=0
gantryd
client without || status=$?
kill "$daemon"
wait "$daemon" || status=$?

semodule --install=containers.cil 2>/dev/null
setenforce 1
gantryd
client with || status=$?
kill "$daemon"
wait "$daemon" || status=$?
[ "$status" -eq 0 ] || {
    tail -n 40 gantryd.log
    dmesg | grep 'avc: *denied' | tail -n 20
}
exit "$status"
