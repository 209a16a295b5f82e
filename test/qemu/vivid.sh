#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# images/vivid, baked from mirrors and PXE-booted over UEFI: the demo rack's master (in
# check-long the whole rack) becomes ready as with bookworm, and no host asks a registry for
# anything. The packages are Debian's under Ubuntu's names, in a root whose /usr is not merged;
# recipe, units, firstboot, boot script and Docker's options are those of a real vivid.
. "$(dirname "$0")/lib.sh"
. test/vivid.sh
IMAGE=$VIVID
M=172.25.0.10 N1=172.25.0.11
hosts=(master) addresses=("$M") only=(--host master)
if is_long; then hosts=(master node-1 node-2) addresses=("$M" "$N1") only=(); fi
tap_cleanup() {
	rack_stop
	[ -z "${VIVID_HTTPD:-}" ] || kill "$VIVID_HTTPD" 2>/dev/null
}

check "an archive in Ubuntu's layout is made and served" vivid_mirror || finish
check "the copy of the recipe differs in its key only" test \
	"$(diff -rq images/vivid "$WORK/images/vivid")" = \
	"Files images/vivid/ubuntu-archive-2012.gpg and $WORK/images/vivid/ubuntu-archive-2012.gpg differ"
# An expired key is accepted, and only where the recipe says 'archived'.
cp -r "$WORK/images" "$WORK/wrong"
cp "$VIVID_ARCHIVE/other.gpg" "$WORK/wrong/vivid/ubuntu-archive-2012.gpg"
refuse "lock refuses an archive with another signature" 1 \
	"rackstrap: the archive of vivid: apt-get exited with *NO_PUBKEY*" \
	"$RACKSTRAP" lock "$WORK/wrong/vivid" "${VIVID_FROM[@]}"
cp "$VIVID_ARCHIVE/key.gpg" "$WORK/wrong/vivid/ubuntu-archive-2012.gpg"
sed -i '/archived = true;/d' "$WORK/wrong/vivid/recipe.cfg"
refuse "lock refuses an expired key where the recipe does not say 'archived'" 1 \
	"rackstrap: the archive of vivid: apt-get exited with *EXPKEYSIG*" \
	"$RACKSTRAP" lock "$WORK/wrong/vivid" "${VIVID_FROM[@]}"
check "images/vivid is baked" vivid_bake || finish
check "the digests match SHA256SUMS" sh -c "cd '$VIVID' && sha256sum -c --strict --quiet SHA256SUMS"
unsquashfs -lls "$VIVID/root.squashfs" >"$WORK/ll"
check_2015 "$WORK/ll" "$VIVID/root.squashfs"
check "/usr is not merged" grep -qE '^drwxr-xr-x .* squashfs-root/bin$' "$WORK/ll"
check "the root has a compression that kernel 3.19 reads" sh -c \
	"unsquashfs -s '$VIVID/root.squashfs' | grep -q 'Compression gzip'"
check "the initrd has a compression that kernel 3.19 reads" python3 - "$VIVID/initrd.img" <<'P'
import sys
data = open(sys.argv[1], "rb").read()
at = 0
while data[at:at + 6] == b"070701":  # ours and the microcode's, uncompressed, come first
    at = data.index(b"TRAILER!!!", at) + 10
    at += len(data[at:]) - len(data[at:].lstrip(b"\0"))
assert data[at:at + 3] == b"\x1f\x8b\x08", data[at:at + 8]
P
check "packages came from all pockets and components" sh -c \
	"python3 -c 'import json,sys; p={x[\"name\"]:x[\"version\"] for x in json.load(open(sys.argv[1]))[\"packages\"]}
assert p[\"busybox-initramfs\"] == \"1:1.22.0-9ubuntu3\" and \"socat\" in p' '$VIVID/manifest.json'"

make_rack configs/demo.cfg "$WORK/demo.cfg"
# Ubuntu's systemd 219 knows cgroup v1 only; Debian's, in this image, needs the option.
sed -i 's|^\tconsole = .*|&\n\tcmdline = "systemd.unified_cgroup_hierarchy=0";|' "$WORK/demo.cfg"
rack_start "$WORK/demo.cfg" --uefi "${only[@]}"
if ! rack_wait; then
	fail "the rack comes up"
	cat "$WORK/table" "$WORK/rack.log" | tail -n 60 | note
	for h in "${hosts[@]}"; do tail -n 40 "$(console "$h")" | note; done
	finish
fi
pass "the rack comes up"
note <"$WORK/table"
check "every host is ready" test "$(grep -cE ' ready *$' "$WORK/table")" = ${#hosts[@]} ||
	tail -n 60 "$WORK/rack.log" | note
check "the master's firmware is UEFI" grep -qi 'efi' "$(console master)"
check "the master reports ready once on its console" test \
	"$(grep -cE 'rackstrap: master \(master\) ready in' "$(console master)")" = 1
for h in "${addresses[@]}"; do
	check "$h loaded its containers once, before Calico" on "$h" "set -e
		systemctl is-active --quiet rackstrap-containers
		journalctl -u rackstrap-containers -o cat | grep -c ' loaded' | grep -qx 2
		! journalctl -u calico-node -o cat | grep -q 'is not here'
		test -z \"\$(systemctl --failed --no-legend)\""
done
check "a later start of Docker loads no container again" on $M "set -e
	/usr/sbin/firstboot containers 2>&1 | grep -c 'is loaded already' | grep -qx 2"
is_long && check "the node has the guide's bridge, chain and units" until_ok 900 on $N1 "set -e
	ip -4 -o addr show cbr0 | grep -q 'inet 192.168.1.1/24 '
	iptables -t nat -S KUBE-OUTBOUND-NAT | grep -qx -- '-A KUBE-OUTBOUND-NAT -j MASQUERADE'
	for u in docker calico-node kube-proxy kube-kubelet; do
		systemctl is-active --quiet \$u || { systemctl status --no-pager -n 30 \$u >&2; exit 1; }
	done"
finish
