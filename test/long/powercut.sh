#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The power of a machine with a state disk is cut while firstboot works: QEMU is killed when a
# certain text reaches the disk, at three texts while a configuration is applied, and then while
# another one is. Then the machine boots undisturbed with the other one: the host is ready, and
# every file is that of this configuration to the byte. The same machine serves for checks of
# units that need a real systemd. test/unit/test-firstboot-powercut.c cuts at every write.
#
# The machine boots the image's kernel and initrd without PXE, which test/qemu/demo.sh tests.
# Its disk is throttled while firstboot works, so that there is time between the writes.
# shellcheck source=../qemu/lib.sh
. "$(dirname "$0")/../qemu/lib.sh"
need_image
KEY=$WORK/key MAC=52-54-00-25-00-10 DISK=$WORK/state.img CONSOLE=$WORK/console
PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
QEMU_PID=
tap_cleanup() { power_off; }

# Two configurations of one machine, each as an initrd, and applied to a folder as a reference.
make_rack configs/demo.cfg "$WORK/one.cfg"
sed -e 's/name = "master";/name = "boss";/' -e 's/master = "master";/master = "boss";/' \
	-e 's/nat = true;/nat = true; environment = [ "COLOUR=blue" ];/' "$WORK/one.cfg" >"$WORK/two.cfg"
for c in one two; do
	"$RACKSTRAP" pxe "$WORK/$c.cfg" --image $IMAGE -o "$WORK/tree" >&2 || bail "no boot tree"
	image=$(echo "$WORK"/tree/http/images/*)
	cp "$WORK/tree/http/hosts/$MAC.cpio" "$WORK/$c.cpio"
	cat "$image/initrd.img" "$image/root.cpio" "$WORK/$c.cpio" >"$WORK/$c.initrd"
	mkdir -p "$WORK/$c/sys/class/net/eth0/device" "$WORK/$c/run/rackstrap"
	install_2015 "$WORK/$c"
	(cd "$WORK/$c/sys/class/net/eth0" && echo ${MAC//-/:} >address && echo 1 >./type && echo 2 >ifindex)
	cpio -i --quiet --to-stdout rackstrap/host.cfg <"$WORK/$c.cpio" >"$WORK/$c/run/rackstrap/host.cfg"
	"$ABS_O/firstboot" apply --root="$WORK/$c" --cmdline= >&2 || bail "no reference for '$c'"
done
CMDLINE=$(sed -n 's/^kernel .* initrd=host.cpio \(.*\) ||.*/\1/p' "$WORK/tree/http/hosts/$MAC.ipxe")
[ -n "$CMDLINE" ] || bail "no kernel command line in the boot script"

# The disk is as the boot script makes it, but small, because cut.py reads it again and again.
truncate -s 1G "$DISK"
mke2fs -q -F -t ext4 -L rackstrap-state -J size=4 -E lazy_itable_init=1,lazy_journal_init=1 \
	"$DISK" >&2 || bail "no disk"

power_on() { # CONFIGURATION [DRIVE OPTIONS]
	: >"$CONSOLE"
	qemu-system-x86_64 -nodefaults -no-user-config -display none -machine q35,graphics=off \
		-accel tcg,thread=multi -cpu EPYC -smp 1 -m 1536M -no-reboot \
		-kernel "$image/vmlinuz" -initrd "$WORK/$1.initrd" -append "$CMDLINE" \
		-drive "if=none,id=disk0,format=raw,cache=writeback,file=$DISK${2-}" \
		-device virtio-blk-pci,drive=disk0 \
		-netdev "user,id=net0,restrict=on,net=172.25.0.0/24,host=172.25.0.1,hostfwd=tcp:127.0.0.1:$PORT-172.25.0.10:22" \
		-device "virtio-net-pci,netdev=net0,mac=${MAC//-/:},romfile=" \
		-object rng-random,id=rng0,filename=/dev/urandom -device virtio-rng-pci,rng=rng0 \
		-serial "file:$CONSOLE" >"$WORK/qemu.log" 2>&1 </dev/null &
	QEMU_PID=$!
}

power_off() {
	[ -n "$QEMU_PID" ] || return 0
	kill -KILL "$QEMU_PID" 2>/dev/null
	{ wait "$QEMU_PID"; } 2>/dev/null
	QEMU_PID=
}

# Copies the disk and replays the journal in the copy, which on_disk then looks into.
on_disk() { debugfs -R "stat /rackstrap/upper/$1" "$WORK/copy.img" 2>/dev/null | grep -q '^Inode:'; }
look() {
	cp --sparse=always "$DISK" "$WORK/copy.img"
	e2fsck -fy "$WORK/copy.img" >"$WORK/fsck.log" 2>&1
	[ $? -lt 4 ]
}

# Cuts the power when TEXT is on the disk, and checks that the work has begun and is not done.
cut() { # CONFIGURATION TEXT
	power_on "$1" ,throttling.iops-write=50
	python3 test/qemu/cut.py "$QEMU_PID" "$DISK" "$2" 900
	local rc=$?
	power_off
	if [ $rc != 0 ]; then
		fail "power cut while '$1' is applied, at \"$2\" (cut.py: $rc)"
		tail -n 20 "$CONSOLE" | note
		return
	fi
	check "power cut while '$1' is applied, at \"$2\": fsck repairs the disk" look
	check "power cut at \"$2\": the work has begun and is not done" sh -c "
		debugfs -R 'ls -l /rackstrap/upper/var/lib/rackstrap' '$WORK/copy.img' 2>/dev/null >'$WORK/ls'
		grep -q 'in-progress.cfg' '$WORK/ls' && ! grep -q ' generation.cfg' '$WORK/ls'"
	on_disk etc/default/docker && fail "power cut at \"$2\": the last file is not there yet"
}
cut one "Address=172.25.0.10/24"
cut one "DEFAULT_IPV4=172.25.0.10"
cut one "DOCKER_OPTS="
cut two "COLOUR=blue"

power_on two
is_ready() { grep -qE 'rackstrap: boss \(master\) ready in [0-9.]+ s' "$CONSOLE"; }
if ! until_ok 900 is_ready; then
	fail "the host boots to ready"
	tail -n 40 "$CONSOLE" | note
	finish
fi
pass "the host boots to ready"
grep -F rackstrap: "$CONSOLE" | note

on() {
	ssh -i "$KEY" -p "$PORT" -o BatchMode=yes -o StrictHostKeyChecking=no \
		-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o ConnectTimeout=20 \
		-o IdentitiesOnly=yes root@127.0.0.1 "$@"
}
(cd "$WORK/two" && find etc root var -type f | sort) >"$WORK/files"
on "tar -cf - -C / $(tr '\n' ' ' <"$WORK/files")" >"$WORK/files.tar"
mkdir "$WORK/got" && tar -xf "$WORK/files.tar" -C "$WORK/got"
# The reference's root had no folders: its list of those that firstboot made is longer.
text() { (cd "$1" && xargs cat <"$WORK/files") | sed '/^directories = /,/;$/d'; }
text "$WORK/two" >"$WORK/want.text"
text "$WORK/got" >"$WORK/got.text"
check "all $(wc -l <"$WORK/files") files are those of the second configuration, to the byte" cmp "$WORK/want.text" "$WORK/got.text"
check "no temporary file and no record of unfinished work is left" on \
	"test -z \"\$(find /etc /root /var/lib/rackstrap -xdev \\( -name '.*.??????????' -o -name in-progress.cfg \\))\""
check "the journal reports the interrupted run" on \
	"journalctl -u rackstrap-firstboot | grep -q 'interrupted while writing another configuration'"

# Another apply in the same boot restarts the units whose configuration has changed.
on "cat >/tmp/lib" <<'E'
invocation() { systemctl show --property=InvocationID $1; }
calico_runs() { docker ps --format '{{.Names}}' | grep -qx calico-node; }
nat_is_there() {
	test "$(iptables -t nat -S POSTROUTING | grep -c KUBE-OUTBOUND-NAT)" = 1 &&
		iptables -t nat -S KUBE-OUTBOUND-NAT | grep -q MASQUERADE
}
E
check "a new option for Docker restarts Docker, but not etcd or the API server" on ". /tmp/lib
	docker=\$(invocation docker) rest=\$(invocation etcd)\$(invocation kube-apiserver)
	echo 'docker_options = [ \"--log-level=warn\" ];' >>/run/rackstrap/host.cfg
	firstboot apply && for i in \$(seq 60); do
		[ \"\$(invocation docker)\" = \"\$docker\" ] || break; sleep 1; done
	[ \"\$(invocation docker)\" != \"\$docker\" ] &&
	[ \"\$(invocation etcd)\$(invocation kube-apiserver)\" = \"\$rest\" ] &&
	pgrep -f -- --log-level=warn >/dev/null"
check "calico-node runs again after Docker's restart" until_ok 300 on ". /tmp/lib; calico_runs"
check "Docker gets SIGKILL" on "kill -KILL \$(systemctl show --property=MainPID docker | cut -d= -f2)"
on "iptables -t nat -F" >&2
check "Docker and calico-node run again after Docker was killed" until_ok 300 on ". /tmp/lib; systemctl is-active docker && calico_runs"
check "flushed NAT rules are set again, on a master too" until_ok 300 on ". /tmp/lib; nat_is_there"
ssh-keygen -q -t ed25519 -N '' -C recipe -f "$WORK/recipe" </dev/null
on "cat >/usr/lib/rackstrap/authorized_keys" <"$WORK/recipe.pub"
KEY=$WORK/recipe
check "sshd accepts the recipe's keys too" on true
finish
