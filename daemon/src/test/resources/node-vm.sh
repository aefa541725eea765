#!/usr/bin/env bash
# Runs inside the node VM for NodeVmIT: node-vm.sh DISTRIBUTION CLASSES JAVA. Starts the daemon as a service does and
# runs pods, some of them with crun or under an AppArmor profile.
set -euo pipefail
dist=$1 classes=$2
export GANTRY_JAVA_HOME=$3

network=/etc/cni/net.d/10-pods.conflist
mkdir -p "${network%/*}"
cat >"$network" <<'JSON'
{"cniVersion": "1.0.0", "name": "pods", "plugins": [
    {"type": "bridge", "bridge": "pods0", "isGateway": true,
     "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.99.0.0/24"}]]}}]}
JSON
apparmor_parser --replace <<'PROFILE'
profile gantry-test flags=(attach_disconnected,mediate_deleted) {
    file, network, capability, signal, ptrace, unix, mount, umount, pivot_root,
}
PROFILE
"$dist/bin/gantryd" --set log.level=debug --set runtime.handlers.crun.binary=crun >gantryd.log 2>&1 &
daemon=$!
for _ in {1..600}; do
    [ ! -S /run/gantry/gantry.sock ] || break
    kill -0 "$daemon" 2>/dev/null || break
    sleep 0.2
done
status=0
"$GANTRY_JAVA_HOME/bin/java" -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "$dist/lib/gantryd.jar:$classes" \
    dev.gantry.daemon.VmPod /run/gantry/gantry.sock /var/log/pods || status=$?
kill "$daemon"
wait "$daemon" || status=$?
[ "$status" -eq 0 ] || tail -n 40 gantryd.log
exit "$status"
