#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A machine that is in no rack file boots from a served tree: `discover` prints it, its entry is
# pasted into the rack file, the tree is rendered again while `serve` runs, and the machine comes to
# ready as this host, without a reset. Then a machine with another network card, and the serial
# number or UUID of a host, comes to ready as that host.
# Runs in a network namespace of its own.
if [ "${1:-}" != inside ]; then
	. "$(dirname "$0")/../tap.sh"
	. test/images.sh
	check "images/plain-vm is baked" bake_plain || finish
	rm -rf "$WORK"
	exec unshare --user --map-root-user --net "$TOP/test/long/discover.sh" inside
fi
. "$(dirname "$0")/../tap.sh"
tap_n=1 # the image
IMAGE=out/plain-vm
TREE=$WORK/tree
server='' machine=''
tap_cleanup() {
	local p
	for p in $server $machine; do kill "$p" 2>/dev/null; done
}

{ ip link set lo up && ip link add br0 type bridge && ip address add 172.25.0.1/24 dev br0 && ip link set br0 up; } ||
	bail "no bridge in this namespace"
{ ip tuntap add tap0 mode tap && ip link set tap0 master br0 up; } || bail "no tap in this namespace"

# render HOST...: makes the tree of these hosts.
render() {
	{
		cat <<-'END'
		cluster : {
			name = "found";
			node_network = "172.25.0.0/24";
			boot_server = "172.25.0.1";
			gateway = "172.25.0.1";
			console = "ttyS0,115200";
			strangers : { pool = "172.25.0.200-172.25.0.210"; };
		};
		hosts = (
		END
		printf '%s\n' "$@" '{ name = "server-1"; role = "server"; mac = "52:54:00:25:00:11"; address = "172.25.0.11"; } );'
	} >"$WORK/rack.cfg"
	"$RACKSTRAP" pxe "$WORK/rack.cfg" --image "$IMAGE" -o "$TREE" --interface br0
}
# until_ok SECONDS COMMAND...: succeeds when the command does, and fails when serve or the machine ends.
until_ok() {
	local deadline=$((SECONDS + $1))
	shift
	until "$@" >"$WORK/until" 2>&1; do
		[ "$SECONDS" -lt "$deadline" ] && kill -0 "$server" && { [ -z "$machine" ] || kill -0 "$machine"; } || return 1
		sleep 0.5
	done 2>/dev/null
}
served() { grep -qF -- "$1" "$WORK/serve.err"; }
reloads=0
reloaded() { [ "$(grep -c 'reloaded: rack' "$WORK/serve.err")" = "$reloads" ]; }
reload() {
	reloads=$((reloads + 1))
	kill -HUP "$server" && until_ok 300 reloaded
}
# boot NAME MAC SERIAL UUID: starts a machine, which ends when it resets.
boot() {
	qemu-system-x86_64 -machine q35,graphics=off -accel tcg,thread=multi -cpu EPYC -m 1G -display none -no-reboot \
		-serial "file:$WORK/$1.console" -uuid "$4" -smbios "type=1,manufacturer=Acme + Co.,product=Model 7,serial=$3" \
		-smbios type=3,asset=A-7 -netdev tap,id=n,ifname=tap0,script=no,downscript=no \
		-device virtio-net-pci,netdev=n,mac="$2" -boot n -device virtio-rng-pci >"$WORK/$1.qemu" 2>&1 &
	machine=$!
}
shut() {
	kill "$machine"
	wait "$machine" 2>/dev/null
	machine=
}
# ready NAME HOST: the host comes to ready on the machine NAME.
ready() {
	check "$2 comes to ready" until_ok 2400 served "$2 (server): ready in" || {
		tail -n 40 "$WORK/$1.console" | tr -cd '\n\t -~' | note
		note <"$WORK/serve.err"
	}
}
MAC=52:54:00:99:99:01 UUID=4c4c4544-0051-3510-8052-b7c04f4e3232
found() { "$RACKSTRAP" discover "$TREE" >"$WORK/found" 2>/dev/null && grep -q "^{.*mac = \"$MAC\".*serial" "$WORK/found"; }
known() { # NAME SERIAL-OR-UUID
	grep -aqF "rackstrap: $1 is host" "$WORK/$2.console"
}

check "pxe makes a tree" render || finish
"$RACKSTRAP" serve "$TREE" 2>"$WORK/serve.err" &
server=$!
check "serve starts" until_ok 120 served 'Ctrl-C ends it' || { note <"$WORK/serve.err"; finish; }
boot stranger $MAC "SN 7/1" $UUID
check "an unknown machine is discovered" until_ok 900 found || { tail -n 20 "$WORK/stranger.console" | tr -cd '\n -~' | note; finish; }
note <"$WORK/found"
check "with what it says of itself" grep -q "^# $MAC, Acme + Co. Model 7, asset A-7: asked [0-9]* times*, .* by 172.25.0.20" "$WORK/found"
entry=$(grep "^{.*mac = \"$MAC\"" "$WORK/found")
check "its entry has its serial number and UUID" test "${entry#*serial = }" = "\"SN 7/1\"; uuid = \"$UUID\"; },"
check "it was told to ask again" grep -aqF "Asking again in 15 s" "$WORK/stranger.console"
check "the entry is pasted into the rack file" render "$entry"
check "serve reads the tree again" reload
ready stranger new-525400999901
check "without a reset" test "$(grep -ac 'Open Source Network Boot Firmware' "$WORK/stranger.console")" = 1
check "as this host" grep -aqF "rackstrap: $MAC is host 'new-525400999901'" "$WORK/stranger.console"
check "discover does not print it any more" sh -c "! '$RACKSTRAP' discover '$TREE' | grep -qF $MAC"
shut

check "two hosts with a serial number and a UUID" render \
	"{ name = \"by-uuid\"; role = \"server\"; mac = \"52:54:00:25:00:21\"; address = \"172.25.0.21\"; uuid = \"$UUID\"; }," \
	"{ name = \"by-serial\"; role = \"server\"; mac = \"52:54:00:25:00:22\"; address = \"172.25.0.22\"; serial = \"SN 8\"; },"
check "serve reads them" reload
boot uuid 52:54:00:99:99:02 "SN 7" $UUID
ready uuid by-uuid
check "the machine took its own card" grep -aqF "rackstrap: 52:54:00:99:99:02 is host 'by-uuid'" "$WORK/uuid.console"
shut
boot serial 52:54:00:99:99:03 "SN 8" 4c4c4544-0051-3510-8052-b7c04f4e3233
ready serial by-serial
check "the machine took its own card" grep -aqE "rackstrap: 52:54:00:99:99:03 is (a host|host '.*') \\(" "$WORK/serial.console"
shut

# --- GRUB, for those who chain it ---------------------------------------------------------

# Puts GRUB in the place of the tree's loader for BIOS.
with_grub() {
	grub-mknetdir --net-directory="$TREE/tftp" --subdir=/grub -d /usr/lib/grub/i386-pc >"$WORK/mknetdir" 2>&1 &&
		cp "$TREE/tftp/grub/i386-pc/core.0" "$TREE/tftp/undionly.kpxe"
}
MAC=52:54:00:99:99:04 UUID=4c4c4544-0051-3510-8052-b7c04f4e3234
check "the rack of before is rendered" render
check "serve reads it" reload
check "GRUB takes the place of iPXE for BIOS" with_grub
boot grub $MAC "SN 9" $UUID
check "a machine that boots with GRUB is discovered" until_ok 900 found || { tail -n 20 "$WORK/grub.console" | tr -cd '\n -~' | note; finish; }
note <"$WORK/found"
check "with what it says of itself" \
	grep -q "^# $MAC, Acme + Co. Model 7, asset A-7: asked [0-9]* times*, .* by 172.25.0.20" "$WORK/found"
entry=$(grep "^{.*mac = \"$MAC\"" "$WORK/found")
check "its entry has its serial number and UUID" test "${entry#*serial = }" = "\"SN 9\"; uuid = \"$UUID\"; },"
check "it becomes a host by its serial number" render \
	'{ name = "grub"; role = "server"; mac = "52:54:00:25:00:23"; address = "172.25.0.23"; serial = "SN 9"; },'
check "GRUB is in that tree too" with_grub
check "serve reads it" reload
ready grub grub
check "the machine took its own card" grep -aqE "rackstrap: $MAC is (a host|host '.*') \\(" "$WORK/grub.console"
shut
finish
