#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Disk images that are refused because they are dangerous, each with its exact message.
. "$(dirname "$0")/../tap.sh"
export TMPDIR=$WORK

# A file of this machine that an image from elsewhere could refer to.
head -c 65536 /dev/urandom >"$WORK/secret"
qemu-img create -q -f qcow2 -b "$WORK/secret" -F raw "$WORK/backed.qcow2"
qemu-img create -q -f qcow2 -o compat=0.10 -b "$WORK/secret" -F raw "$WORK/old.qcow2"
cp "$WORK/secret" "$WORK/data"
qemu-img create -q -f qcow2 -o "data_file=$WORK/data,data_file_raw=on" "$WORK/external.qcow2" 64K
: >"$WORK/host.cfg"

for f in backed:'with a backing file' old:'with a backing file' external:'with its data in another file'; do
	image=$WORK/${f%%:*}.qcow2
	want="rackstrap: $image: a qcow2 ${f#*:}: image refused"
	refuse "inspect refuses a qcow2 ${f#*:}" 1 "$want" "$RACKSTRAP" inspect "$image"
	check "inspect prints nothing on standard output" test ! -s "$WORK/out"
	refuse "customize is refused" 1 "$want" "$RACKSTRAP" customize "$image" --host "$WORK/host.cfg"
	refuse "verify is refused" 1 "$want" "$RACKSTRAP" verify "$image"
done

# Images inside images: only the outer format would be unpacked.
truncate -s 1M "$WORK/raw"
qemu-img convert -O qcow2 "$WORK/raw" "$WORK/plain.qcow2"
qemu-img convert -f raw -O qcow2 "$WORK/plain.qcow2" "$WORK/twice.qcow2"
zstd -q "$WORK/plain.qcow2" -o "$WORK/plain.qcow2.zst"
xz -k -0 "$WORK/plain.qcow2"
zstd -q "$WORK/raw" -o "$WORK/raw.zst"
qemu-img convert -f raw -O qcow2 "$WORK/raw.zst" "$WORK/zst.qcow2"
for f in plain.qcow2.zst:qcow2 plain.qcow2.xz:qcow2 twice.qcow2:qcow2 zst.qcow2:zstd; do
	image=$WORK/${f%:*}
	refuse "inspect refuses ${f%:*}" 1 "rackstrap: $image: contains a ${f#*:}: unpack it first" "$RACKSTRAP" inspect "$image"
done

# Small images of large disks. The program may take 256 MiB of memory, and nothing of TMPDIR.
small() { "$ABS_O/test/tools/measure" --within 262144 -- "$@"; }
python3 test/qcow2-shared.py "$WORK/shared.qcow2" $((128 << 30)) 21
python3 test/qcow2-shared.py "$WORK/huge.qcow2" $((16 << 40)) 21
head -c 100M /dev/zero | zstd -q -o "$WORK/zeros.zst"
check "the images are small" test "$(cat "$WORK"/{shared,huge}.qcow2 "$WORK/zeros.zst" | wc -c)" -lt 40000000
over() { echo "rackstrap: $WORK/$1: unpacks to more than the limit of $2: refused (option '--limit' raises the limit)"; }
for command in inspect verify "customize --host $WORK/host.cfg"; do
	# shellcheck disable=SC2086 # a command and its options
	refuse "${command%% *} refuses 128 GiB of a shared cluster" 1 "$(over shared.qcow2 '64.0 GiB')" \
		small "$RACKSTRAP" $command "$WORK/shared.qcow2"
	# shellcheck disable=SC2086
	refuse "${command%% *} refuses compressed zeros" 1 "$(over zeros.zst '10.0 MiB')" \
		small "$RACKSTRAP" $command --limit 10M "$WORK/zeros.zst"
	# shellcheck disable=SC2086
	refuse "${command%% *} refuses a limit that is no size" 2 \
		"rackstrap: ${command%% *}: option '--limit' must be a size, as in 100G, not '0'" \
		"$RACKSTRAP" $command --limit 0 "$WORK/zeros.zst"
done
refuse "inspect refuses data that there is no room for" 4 \
	"rackstrap: not enough space: * are free, at least 16.0 TiB are needed (the data of $WORK/huge.qcow2 (\$TMPDIR) in $WORK: 16.0 TiB)" \
	small "$RACKSTRAP" inspect --limit 17T "$WORK/huge.qcow2"
qemu-img create -q -f qcow2 "$WORK/sparse.qcow2" 100G
refuse "a disk that is mostly holes is read" 1 "rackstrap: $WORK/sparse.qcow2: is no disk or ISO that rackstrap made: *" \
	small "$RACKSTRAP" verify "$WORK/sparse.qcow2"
check "they leave nothing in TMPDIR" test -z "$(find "$WORK" -name 'rackstrap.*')"

# rackstrap is killed while it unpacks an image.
mkdir "$WORK/slow"
printf '#!/bin/sh\nhead -c 65536 /dev/urandom >"$7"\n: >"%s/began"\nexec sleep 30\n' "$WORK" >"$WORK/slow/qemu-img"
chmod +x "$WORK/slow/qemu-img"
PATH=$WORK/slow:$PATH "$RACKSTRAP" inspect "$WORK/plain.qcow2" 2>/dev/null &
for _ in $(seq 2000); do [ ! -e "$WORK/began" ] || break; sleep 0.05; done
check "qemu-img has started" test -e "$WORK/began"
kill -KILL $!
wait $! 2>/dev/null
check "a killed inspect leaves nothing in TMPDIR" test -z "$(find "$WORK" -name 'rackstrap.*')"
finish
