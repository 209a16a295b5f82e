#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The cbr0 of a running node is changed. What `rackstrap diff` announces before is compared with
# what `firstboot apply` and systemd do on the node: the units that restart, and no others.
# shellcheck source=../qemu/lib.sh
. "$(dirname "$0")/../qemu/lib.sh"
need_image
make_rack configs/demo.cfg "$WORK/three.cfg"
sed -z 's/,\n\t{\n\t\tname = "node-2".*/\n);\n/' "$WORK/three.cfg" >"$WORK/old.cfg"
check "the rack without node-2 is a rack" "$RACKSTRAP" check "$WORK/old.cfg" --image $IMAGE || {
	note <"$WORK/old.cfg"
	finish
}
sed 's/192\.168\.1\.1/192.168.101.1/' "$WORK/old.cfg" >"$WORK/new.cfg"
N1=172.25.0.11

refuse "diff announces the change" 1 "rackstrap: *: 0 appear, 0 vanish, 1 changes" \
	"$RACKSTRAP" diff "$WORK/old.cfg" "$WORK/new.cfg" --image $IMAGE
cp "$WORK/out" "$WORK/announced.txt"
note <"$WORK/announced.txt"
cat >"$WORK/wanted" <<'W'
node-1
    cbr0: 192.168.1.1/24 -> 192.168.101.1/24
    on a running host: restarts docker.service, rackstrap-report.service, and with them calico-node.service; applied live: cbr0
A running host gets this at its next boot, or when `firstboot apply` runs on it with the new host.cfg.
W
check "it restarts Docker, what follows it, and the report" diff "$WORK/wanted" "$WORK/announced.txt"
"$RACKSTRAP" diff "$WORK/old.cfg" "$WORK/new.cfg" --image $IMAGE --json >"$WORK/json" 2>/dev/null
python3 -c '
import json, sys
f = json.load(open(sys.argv[1]))["change"][0]["effect"]
print("\n".join(sorted(f["restart"] + f["restart_with"])))' "$WORK/json" >"$WORK/announced"

check "the tree is rendered" "$RACKSTRAP" pxe "$WORK/old.cfg" --image $IMAGE -o "$WORK/tree"
refuse "a dry run announces the same" 1 "rackstrap: *: 0 appear, 0 vanish, 1 changes" \
	"$RACKSTRAP" pxe "$WORK/new.cfg" --image $IMAGE -o "$WORK/tree" --dry-run
cp "$WORK/out" "$WORK/dry-run"
check "in the same words" diff "$WORK/wanted" "$WORK/dry-run"

rack_start "$WORK/old.cfg"
rack_up master
# Prints "UNIT STATE INVOCATION" of all units of the role and those that were announced.
state() {
	on "$N1" "systemctl show --property=Id,ActiveState,InvocationID systemd-networkd.service \
		\$(systemctl show --property=Wants --value rackstrap-node.target) $(tr '\n' ' ' <"$WORK/announced")" >"$WORK/show" &&
		awk 'BEGIN { RS = ""; FS = "\n" }
			{ for (i = 1; i <= NF; i++) { split($i, p, "="); v[p[1]] = p[2] }
			  print v["Id"], v["ActiveState"], v["InvocationID"] }' "$WORK/show" | sort -u
}
state >"$WORK/before"
check "the role's units are active" grep -q '^docker.service active ' "$WORK/before"
# try-restart leaves a unit alone that does not run, such as a report that was sent.
awk 'NR == FNR { said[$1] = 1; next } $2 == "active" && said[$1] { print $1 }' \
	"$WORK/announced" "$WORK/before" >"$WORK/wanted"
on "$N1" "sed -i 's/192\.168\.1\.1/192.168.101.1/' /run/rackstrap/host.cfg && firstboot apply" >&2
changed() {
	state >"$WORK/after" &&
		awk 'NR == FNR { id[$1] = $3; next } id[$1] != $3 { print $1 }' "$WORK/before" "$WORK/after" >"$WORK/changed" &&
		diff "$WORK/wanted" "$WORK/changed"
}
check "the units that were announced restart, and no others" until_ok 1200 changed
note <"$WORK/changed"
check "Docker is among them" grep -qx docker.service "$WORK/changed"
check "Docker and calico-node run" until_ok 1200 on "$N1" "systemctl is-active docker.service calico-node.service"
check "cbr0 has the new address, and no other one" on "$N1" \
	"test \"\$(ip -4 -o address show dev cbr0 | awk '{ print \$4 }')\" = 192.168.101.1/24"
finish
