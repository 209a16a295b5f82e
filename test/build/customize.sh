#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# rackstrap inspect, customize and verify, on a disk laid out as builder/common/disk-layout.h says,
# with a root so small that libguestfs reads it quickly. check has one case for each medium and
# operation; check-long also has verify for each format and for 4096-byte sectors.
. "$(dirname "$0")/../tap.sh"
loops=()
tap_cleanup() {
	local x
	for x in "${loops[@]}"; do losetup -d "$x"; done
}
export TMPDIR=$WORK LIBGUESTFS_CACHEDIR=/var/tmp MTOOLSRC=/dev/null MTOOLS_SKIP_CHECK=1
rs() { "$RACKSTRAP" "$@"; }
sum() { sha256sum <"$1" | cut -d' ' -f1; }
size() { stat -c %s "$1"; }

# --- the disk ---------------------------------------------------------------------------
tree=$WORK/tree slot=$WORK/tree/rackstrap/a root=$WORK/root
mkdir -p "$slot" "$tree/boot/grub" "$tree/EFI/BOOT" "$root/usr/bin" "$root/etc"
echo 'says hello' >"$root/usr/bin/hello"
chmod 755 "$root/usr/bin/hello"
ln -s ../usr/bin/hello "$root/etc/hello"
mksquashfs "$root" "$slot/root.squashfs" -quiet -no-progress -all-root >/dev/null
echo kernel >"$slot/vmlinuz"
echo initrd >"$slot/initrd.img"
echo 'set cmdline="quiet"' >"$slot/slot.cfg"
echo 'menu' >"$tree/boot/grub/grub.cfg"
echo 'grub' >"$tree/EFI/BOOT/BOOTX64.EFI"
env_of() { printf '# GRUB Environment Block\nslot=a\nmedium=%s\n%s###' "$1" "${2:+label=$2
}"; }
part() { printf '{"path":"%s","size":%s,"sha256":"%s"}' "$1" "$(size "$slot/$1")" "$(sum "$slot/$1")"; }
cat >"$slot/manifest.json" <<END
{"format":1,"name":"tiny","summary":"","epoch":1700000000,"cmdline":"quiet","standins":["kubelet"],
"roles":[{"name":"master","units":["etcd.service"],"ready":[],"features":["kubernetes-master","nat","calico","docker","network-environment"]},
	{"name":"node","units":["docker.service"],"ready":[],"features":["kubernetes","cbr0","nat","calico","docker","network-environment"]}],
"outputs":[$(part vmlinuz),$(part initrd.img),$(part root.squashfs)],
"files":[{"path":"/usr/bin","type":"dir","mode":"0755","source":"x"},
	{"path":"/usr/bin/hello","type":"file","mode":"0755","size":$(size "$root/usr/bin/hello"),
	 "sha256":"$(sum "$root/usr/bin/hello")","source":"x"},
	{"path":"/etc/hello","type":"link","target":"../usr/bin/hello","source":"x"}]}
END
(cd "$tree" && find . -type f -printf '%P\n' | sort | xargs sha256sum) >"$WORK/sums"
mv "$WORK/sums" "$tree/rackstrap/SHA256SUMS"

fat=$((2 * 1048576))
make_disk() { # FILE
	truncate -s 64M "$1"
	sfdisk -q "$1" <<-END
		label: gpt
		size=1M, type=21686148-6449-6E6F-744E-656564454649, name=rackstrap-bios
		size=40M, type=U, name=rackstrap-boot
		size=1M, type=L, name=rackstrap-state
	END
	mkfs.vfat -F32 -s1 -nRACKSTRAP --offset=$((fat / 512)) "$1" 40960 >/dev/null
	mcopy -s -i "$1@@$fat" "$tree"/* ::/
	env_of "PARTUUID=$(part_uuid "$1")" | mcopy -i "$1@@$fat" - ::/boot/grub/grubenv
}
part_uuid() { sfdisk -q -J "$1" | grep -o '"uuid": *"[^"]*"' | sed -n '2s/.*"\(.*\)"/\L\1/p'; } # of partition 2
disk=$WORK/disk.img
make_disk "$disk"
read_fat() { mtype -i "$1@@$fat" "::/$2"; }
sound() { # IMAGE: as foreign readers see it
	sfdisk -q --verify "$1" && sgdisk -v "$1" | grep -q 'No problems found' &&
		dd if="$1" of="$WORK/fat" bs=1M skip=2 count=40 status=none && fsck.vfat -n "$WORK/fat" >/dev/null
}

# --- what goes in -----------------------------------------------------------------------
ssh-keygen -q -t ed25519 -N '' -C op@desk -f "$WORK/key"
ssh-keygen -q -t ed25519 -N '' -C other@desk -f "$WORK/key2"
cat >"$WORK/host.cfg" <<'END'
# who it is
name = "node-1"; role = "node"; cluster = "demo";
address = "172.25.0.11/24"; gateway = "172.25.0.1"; master = "172.25.0.10";
cbr0 = "192.168.1.1/24";	# its /24
END
cp "$WORK/host.cfg" "$WORK/wrong.cfg"
sed -i 's|192.168.1.1/24|192.168.1.1/99|; s|"node";|"nod";|' "$WORK/wrong.cfg"
cp configs/demo.cfg "$WORK/rack.cfg"

refuse "customize without an image is refused" 2 'rackstrap: customize: missing argument IMAGE: a disk image or ISO' rs customize --host x
refuse "customize without a configuration or a key is refused" 2 "rackstrap: customize: missing option '--host FILE', '--rack FILE' or '--key FILE'" rs customize "$disk"
refuse "customize with both a host.cfg and a rack.cfg is refused" 2 "rackstrap: customize: options '--host' and '--rack' exclude each other: an image is for one host or for a rack" \
	rs customize "$disk" --host a --rack b
truncate -s 4M "$WORK/foreign"
refuse "customize of an image that rackstrap did not make is refused" 1 \
	"rackstrap: $WORK/foreign: is no disk or ISO that rackstrap made: it has no place for a configuration" \
	rs customize "$WORK/foreign" --host "$WORK/host.cfg"
cp --sparse=always "$disk" "$WORK/before"
refuse "customize with a wrong host.cfg is refused" 3 "rackstrap: $WORK/wrong.cfg:*" rs customize "$disk" --host "$WORK/wrong.cfg"
check "every mistake in it is reported" test "$(grep -c wrong.cfg "$WORK/err")" = 2
refuse "customize with a key and no configuration to add it to is refused" 1 \
	"rackstrap: $disk: has neither host.cfg nor rack.cfg to add the key to: give --host or --rack as well" \
	rs customize "$disk" --key "$WORK/key.pub"
check "no refused command changes the image" cmp "$disk" "$WORK/before"

check "customize of a disk with a host.cfg succeeds" rs customize "$disk" --host "$WORK/host.cfg"
cp "$WORK/err" "$WORK/said"
check "a host.cfg without ssh keys is a warning" grep -qxF \
	"rackstrap: warning: $WORK/host.cfg: no ssh_keys: nobody will be able to log in" "$WORK/said"
check "the disk has the host.cfg, byte for byte" cmp <(read_fat "$disk" rackstrap/host.cfg) "$WORK/host.cfg"
check "the disk is sound" sound "$disk"
check "nothing is left beside it" test -z "$(find "$WORK" -maxdepth 1 -name '.disk.img*')"
cp --sparse=always "$disk" "$WORK/once"

# The owner of the image's folder puts another folder in the place of customize's own. cp is the
# first program that works there.
mkdir "$WORK/theirs" "$WORK/ours" "$WORK/wrap"
cp "$disk" "$WORK/theirs/disk.img"
chmod 777 "$WORK/theirs"
echo precious >"$WORK/ours/raw"
cat >"$WORK/wrap/cp" <<S
#!/bin/sh
for d in $WORK/theirs/.disk.img.rackstrap-*; do mv "\$d" $WORK/theirs/away && ln -s $WORK/ours "\$d"; done
exec $(command -v cp) "\$@"
S
chmod +x "$WORK/wrap/cp"
PATH=$WORK/wrap:$PATH rs customize "$WORK/theirs/disk.img" --key "$WORK/key.pub" || true
check "the owner of a folder can rename what is in it" test -d "$WORK/theirs/away"
check "customize writes to no folder but its own" test "$(cat "$WORK/ours/raw")" = precious
rm -r "$WORK/theirs" "$WORK/wrap"

check "a second customize with the same host.cfg succeeds" rs customize "$disk" --host "$WORK/host.cfg"
check "a second customize changes nothing" cmp "$disk" "$WORK/once"

# --- a rack that includes a file -------------------------------------------------------
mkdir "$WORK/racks"
sed '/^hosts = (/q' configs/demo.cfg >"$WORK/racks/demo.cfg"
printf '@include "hosts.cfg"\n);\n' >>"$WORK/racks/demo.cfg"
sed '1,/^hosts = (/d; /^);/,$d' configs/demo.cfg >"$WORK/racks/hosts.cfg"
check "check accepts a rack that includes its hosts" rs check "$WORK/racks/demo.cfg"
cp --sparse=always "$disk" "$WORK/racks/disk.img"
check "customize puts it on a disk" rs customize "$WORK/racks/disk.img" --rack "$WORK/racks/demo.cfg"
cp "$WORK/err" "$WORK/said"
check "a rack.cfg without ssh keys is a warning" grep -qxF \
	"rackstrap: warning: $WORK/racks/demo.cfg: no host has ssh_keys: nobody will be able to log in" "$WORK/said"
read_fat "$WORK/racks/disk.img" rackstrap/rack.cfg >"$WORK/racks/got.cfg"
check "the disk's rack.cfg has the hosts" grep -q 'name = "node-2"' "$WORK/racks/got.cfg"
check "and includes nothing" sh -c "! grep -q '^@include' '$WORK/racks/got.cfg' && cd / && '$RACKSTRAP' check '$WORK/racks/got.cfg'"
rm -r "$WORK/racks"

# --- an image that was damaged ---------------------------------------------------------
mkdir "$WORK/built"
cp --sparse=always "$disk" "$WORK/built/disk.img"
(cd "$WORK/built" && sha256sum disk.img >SHA256SUMS)
rs inspect "$WORK/built/disk.img" --json >"$WORK/shown"
check "inspect shows the digest of an image that SHA256SUMS lists" grep -qF "\"sha256\": \"$(sum "$disk")\"" "$WORK/shown"
touch -r "$WORK/built/disk.img" "$WORK/time"
printf X | dd of="$WORK/built/disk.img" bs=1 seek=3000000 conv=notrunc status=none
touch -r "$WORK/time" "$WORK/built/disk.img"
cp --sparse=always "$WORK/built/disk.img" "$WORK/damaged"
refuse "customize of an image with another byte than SHA256SUMS has is refused" 1 \
	"rackstrap: $WORK/built/disk.img: has sha256 *, but $(sum "$disk") in SHA256SUMS beside it: it was damaged or changed; build it again" \
	rs customize "$WORK/built/disk.img" --key "$WORK/key.pub"
check "the image is as it was" cmp "$WORK/damaged" "$WORK/built/disk.img"
check "so is SHA256SUMS" grep -qx "$(sum "$disk")  disk.img" "$WORK/built/SHA256SUMS"
rs inspect "$WORK/built/disk.img" >"$WORK/shown"
check "inspect says so" grep -q '^has sha256 .*, but .* in SHA256SUMS beside it: it was damaged or changed$' "$WORK/shown"
rm -r "$WORK/built" "$WORK/damaged"

cp --sparse=always "$disk" "$WORK/secret.img"
{
	grep -v '^report' "$WORK/host.cfg"
	echo 'report_token = "TOKEN-OF-A-HOST"; report = "http://172.25.0.1/r?key=SECRET";'
	echo 'environment = [ "HTTP_PROXY=http://me:SECRET@proxy/" ];'
} >"$WORK/secret.cfg"
check "customize with a host.cfg that has a token succeeds" rs customize "$WORK/secret.img" --host "$WORK/secret.cfg"
{ rs inspect "$WORK/secret.img" && rs inspect "$WORK/secret.img" --json; } >"$WORK/shown"
check "inspect shows no secret" test "$(grep -c 'TOKEN-OF\|SECRET' "$WORK/shown")" = 0
check "inspect shows the report's URL" grep -qF '"report": "http://172.25.0.1/r"' "$WORK/shown"
check "inspect says that there is a token" grep -qF '"report_token": "(secret)"' "$WORK/shown"
check "customize with a key succeeds" rs customize "$disk" --key "$WORK/key.pub"
check "customize with another key succeeds" rs customize "$disk" --key "$WORK/key2.pub"
read_fat "$disk" rackstrap/host.cfg >"$WORK/host.got"
check "the host.cfg has the keys" test "$(grep -cF -f <(cut -d' ' -f2 "$WORK/key.pub" "$WORK/key2.pub") "$WORK/host.got")" -ge 1
cp --sparse=always "$WORK/once" "$WORK/two.img"
check "customize with two keys succeeds" rs customize "$WORK/two.img" --key "$WORK/key.pub" --key "$WORK/key2.pub"
check "two keys at once give the same host.cfg as one after the other" cmp <(read_fat "$WORK/two.img" rackstrap/host.cfg) "$WORK/host.got"
check "the comments of the host.cfg are kept" grep -q '# its /24' "$WORK/host.got"
echo 'ssh-rsa nonsense' >"$WORK/bad.pub"
refuse "customize with a file that is no key is refused" 3 "rackstrap: $WORK/bad.pub: *" rs customize "$disk" --key "$WORK/bad.pub"
: >"$WORK/none.pub"
refuse "customize with a file without a key is refused" 3 "rackstrap: $WORK/none.pub: has no key in it" rs customize "$disk" --key "$WORK/none.pub"

check "customize with a rack.cfg and a key succeeds" rs customize "$disk" --rack "$WORK/rack.cfg" --key "$WORK/key.pub"
cp "$WORK/err" "$WORK/said"
check "no ssh keys in the file are no warning then" sh -c "! grep -q 'log in' '$WORK/said'"
check "every host of the rack has the key" python3 - "$RACKSTRAP" "$disk" "$WORK/key.pub" <<'P'
import json, subprocess, sys
out = json.loads(subprocess.run([sys.argv[1], "inspect", sys.argv[2], "--json"], check=True, capture_output=True).stdout)
key = open(sys.argv[3]).read().split()[1]
assert out["kind"] == "disk" and out["wrong"] == [] and out["config"] == "rackstrap/rack.cfg", out
assert len(out["hosts"]) == 3 and all(any(key in k for k in h["ssh_keys"]) for h in out["hosts"]), out["hosts"]
s = out["slots"]
assert len(s) == 1 and s[0]["boots"] and s[0]["image"] == "tiny" and s[0]["standins"] == ["kubelet"], s
assert [p["name"] for p in out["partitions"]] == ["rackstrap-bios", "rackstrap-boot", "rackstrap-state"], out
P
check "a rack.cfg replaces the host.cfg" test -z "$(mdir -b -i "$disk@@$fat" ::/rackstrap | grep host.cfg)"
check "the disk is sound" sound "$disk"
rs inspect "$disk" >"$WORK/shown"
check "inspect shows the partitions" grep -qE '^ +2 +2097152 +40\.0 MiB +EFI system +rackstrap-boot$' "$WORK/shown"
check "inspect shows the slot" grep -qE '^slot a \(boots\): tiny, [0-9.]+ KiB$' "$WORK/shown"
check "inspect does not take the epoch for the time of the build" grep -qxF \
	'  files dated 2023-11-14 (SOURCE_DATE_EPOCH 1700000000, not the time of the build)' "$WORK/shown"
check "inspect shows the hosts" grep -qE '^node-1 +node +52:54:00:25:00:11 ' "$WORK/shown"

# Secrets are not put on a medium; where somebody else has, inspect says so.
sed 's/name = "node-1";/& secrets = ( { file = "munge.key"; } );/' "$WORK/rack.cfg" >"$WORK/secrets.cfg"
cp --sparse=always "$disk" "$WORK/secrets.img"
refuse "customize with a rack.cfg that has secrets is refused" 3 \
	"rackstrap: $WORK/secrets.cfg:*: host 'node-1': secrets are not written to a medium: *" \
	rs customize "$WORK/secrets.img" --rack "$WORK/secrets.cfg"
check "the image is unchanged" cmp "$disk" "$WORK/secrets.img"
mcopy -o -i "$WORK/secrets.img@@$fat" "$WORK/secrets.cfg" ::/rackstrap/rack.cfg
rs inspect "$WORK/secrets.img" >"$WORK/shown" 2>&1
check "inspect of such an image says what is wrong" \
	grep -q "rack.cfg:[0-9]*: host 'node-1': secrets are not written to a medium: " "$WORK/shown"

# An image with a template that loops over the rack's hosts and writes a value of each.
cp --sparse=always "$disk" "$WORK/template.img"
python3 - "$slot/manifest.json" >"$WORK/manifest.json" <<'P'
import json, sys
m = json.load(open(sys.argv[1]))
text = "[x]\n{{#hosts}}\n{{name}} = {{role}}\n{{/hosts}}\n{{#host.docker_options}}\na = {{.}}\n{{/host.docker_options}}\n"
m["templates"] = [{"path": "/etc/list", "mode": "0644", "format": "ini", "roles": ["node"], "text": text}]
json.dump(m, sys.stdout)
P
mcopy -o -i "$WORK/template.img@@$fat" "$WORK/manifest.json" ::/rackstrap/a/manifest.json
sed 's/name = "node-1";/& docker_options = [ "--a=%" ];/' "$WORK/rack.cfg" >"$WORK/percent.cfg"
refuse "customize with a host.cfg whose host needs the rack's hosts is refused" 3 \
	"rackstrap: $WORK/host.cfg:2: role 'node': the template /etc/list needs the hosts of the rack: give the medium a rack.cfg" \
	rs customize "$WORK/template.img" --host "$WORK/host.cfg"
refuse "customize with a value that its file cannot have is refused" 3 \
	"rackstrap: $WORK/percent.cfg:*: host 'node-1': the template /etc/list:6: the value of {{.}} has a '%', *" \
	rs customize "$WORK/template.img" --rack "$WORK/percent.cfg"
check "customize with the rack.cfg succeeds" rs customize "$WORK/template.img" --rack "$WORK/rack.cfg"
rs inspect "$WORK/template.img" >"$WORK/shown" 2>&1
check "inspect finds nothing wrong" sh -c "! grep 'the template' '$WORK/shown'"
mcopy -o -i "$WORK/template.img@@$fat" "$WORK/percent.cfg" ::/rackstrap/rack.cfg
rs inspect "$WORK/template.img" >"$WORK/shown" 2>&1
check "inspect of an image with that value says what is wrong" \
	grep -q "rack.cfg:[0-9]*: host 'node-1': the template /etc/list:6: the value of {{.}} has a '%'" "$WORK/shown"
mdel -i "$WORK/template.img@@$fat" ::/rackstrap/rack.cfg
mcopy -i "$WORK/template.img@@$fat" "$WORK/host.cfg" ::/rackstrap/host.cfg
rs inspect "$WORK/template.img" >"$WORK/shown" 2>&1
check "so does that of one with a host.cfg" \
	grep -q "host.cfg:2: role 'node': the template /etc/list needs the hosts of the rack" "$WORK/shown"

# The same image in the other formats.
qemu-img convert -O qcow2 "$WORK/before" "$WORK/disk.qcow2"
zstd -q "$WORK/before" -o "$WORK/disk.zst"
for f in qcow2 zst; do
	check "customize of a $f succeeds" rs customize "$WORK/disk.$f" --host "$WORK/host.cfg"
	check "inspect of a $f succeeds" rs inspect "$WORK/disk.$f"
	grep -q node-1 "$WORK/out" || fail "inspect of a $f shows the host"
done
zstd -q -d "$WORK/disk.zst" -o "$WORK/unpacked"
check "the zst has the same bytes as the raw image" cmp "$WORK/unpacked" "$WORK/once"
xz -k -0 "$WORK/before"
refuse "customize of an xz is refused" 1 \
	"rackstrap: $WORK/before.xz: is compressed with xz: only raw, qcow2 and zst can be changed" \
	rs customize "$WORK/before.xz" --host "$WORK/host.cfg"

# --- names, folders and damage ----------------------------------------------------------
no_path() { ! grep -q /proc/ "$WORK/all"; }
keep() { cat "$WORK/out" "$WORK/err" >"$WORK/all"; }
from_stdin() { rs inspect /dev/stdin <"$disk"; }
check "inspect reads an image from standard input" from_stdin
keep
check "it is named as it was given" grep -q '^/dev/stdin: raw, ' "$WORK/all"
check "a path of a descriptor is not shown" no_path
cp --sparse=always "$disk" "$WORK/nofat"
dd if=/dev/zero of="$WORK/nofat" bs=1M seek=2 count=1 conv=notrunc status=none
zstd -q "$WORK/nofat" -o "$WORK/nofat.zst"
for f in nofat nofat.zst; do
	refuse "inspect of a $f without a FAT is refused" 1 "rackstrap: $WORK/$f: *" rs inspect "$WORK/$f"
	keep
	check "a path of a descriptor is not shown" no_path
done
refuse "a TMPDIR that is missing is named" 1 "rackstrap: TMPDIR: nowhere: No such file or directory" \
	env TMPDIR=nowhere "$RACKSTRAP" inspect "$WORK/disk.zst"
mkdir -m 777 "$WORK/open"
look_in_open() { env TMPDIR="$WORK/open" "$RACKSTRAP" inspect "$@" "$WORK/foreign"; }
if [ "$(id -u)" = 0 ]; then
	refuse "inspect fails when it cannot look for the operating system" 1 \
		"rackstrap: TMPDIR: $WORK/open: other users can rename what is in it: name a folder of root's" look_in_open
	keep
	check "it shows the rest" grep -qx 'operating system: could not be looked for' "$WORK/all"
fi
head -c 40M "$disk" >"$WORK/cut"
head -c 63M "$disk" >"$WORK/short"
for command in "customize --host $WORK/host.cfg" verify; do
	# shellcheck disable=SC2086 # a command and its options
	refuse "${command%% *} of a truncated image is refused" 1 \
		"rackstrap: $WORK/cut: has a GPT, but a partition reaches beyond the disk's end: it is damaged or cut off" \
		rs $command "$WORK/cut"
	# shellcheck disable=SC2086
	refuse "${command%% *} of an image without its end is refused" 1 \
		"rackstrap: $WORK/short: has 66060288 bytes, its GPT says 67108864: the image is cut off" rs $command "$WORK/short"
done
check "inspect of it succeeds" rs inspect "$WORK/short"
keep
check "inspect says that it is cut off" grep -qx '  has 66060288 bytes, its GPT says 67108864: the image is cut off' "$WORK/all"
tar -C "$WORK" -cf "$WORK/x.tar" host.cfg
for command in inspect verify "customize --host $WORK/host.cfg"; do
	# shellcheck disable=SC2086
	refuse "${command%% *} of a tar is refused" 1 "rackstrap: $WORK/x.tar: is a tar archive, not a disk image; unpack it first*" \
		rs $command "$WORK/x.tar"
	check "it prints nothing on standard output" test ! -s "$WORK/out"
done
sed 's/mac = "52:54:00:25:00:1[12]"/cmdline = "quiet"; &/' "$WORK/rack.cfg" >"$WORK/words.cfg"
cp --sparse=always "$disk" "$WORK/words.img"
check "customize with keys that only PXE uses succeeds" rs customize "$WORK/words.img" --rack "$WORK/words.cfg"
sed -n 's/.*: host/host/p' "$WORK/err" >"$WORK/warned"
check "the warnings name the keys that are there" diff "$WORK/warned" - <<'END'
host 'node-1' and 1 more: cmdline has no effect on a boot medium: see local.cfg in rackstrap-build(1)
host 'master': state_disk has no effect on a boot medium: see local.cfg in rackstrap-build(1)
END
rm "$WORK"/{nofat,nofat.zst,cut,short,words.img}

# --- an ISO -----------------------------------------------------------------------------
# Made without a configuration: boot/efi.img has no folder for one yet.
make_efi() { # FILE
	truncate -s 4M "$1"
	mkfs.vfat -F12 -nRACKSTRAP "$1" >/dev/null
	mmd -i "$1" ::/boot ::/boot/grub
	mcopy -s -i "$1" "$tree/EFI" ::/
	echo 'search' | mcopy -i "$1" - ::/boot/grub/grub.cfg
	env_of LABEL=RACKSTRAP_00000000 RACKSTRAP_00000000 | mcopy -i "$1" - ::/boot/grub/grubenv
}
make_iso() { # FILE
	xorriso -no_rc -as mkisofs -quiet -volid RACKSTRAP_00000000 -r -J --protective-msdos-label \
		-b boot/grub/eltorito.img -no-emul-boot -boot-load-size 4 -boot-info-table -c boot/boot.cat \
		--efi-boot boot/efi.img -efi-boot-part --efi-boot-image -o "$1" "$WORK/iso.tree" >&2
}
cp -r "$tree" "$WORK/iso.tree"
env_of LABEL=RACKSTRAP_00000000 RACKSTRAP_00000000 >"$WORK/iso.tree/boot/grub/grubenv"
head -c 4096 /dev/urandom >"$WORK/iso.tree/boot/grub/eltorito.img"
make_efi "$WORK/iso.tree/boot/efi.img"
iso=$WORK/boot.iso
make_iso "$iso"
cp "$iso" "$WORK/plain.iso"
efi=$(($(sfdisk -q -J "$iso" | python3 -c 'import json, sys
print(next(p["start"] for p in json.load(sys.stdin)["partitiontable"]["partitions"] if p["type"].startswith("C12A7328")))') * 512))
in_efi() { mtype -i "$1@@$efi" "::/$2"; }
check "customize of an ISO with a host.cfg succeeds" rs customize "$iso" --host "$WORK/host.cfg"
check "the ISO has the host.cfg, byte for byte" cmp <(in_efi "$iso" rackstrap/host.cfg) "$WORK/host.cfg"
cp "$WORK/plain.iso" "$WORK/twice.iso"
sleep 2 # the resolution of FAT's times
check "customize of another ISO with the same host.cfg succeeds" rs customize "$WORK/twice.iso" --host "$WORK/host.cfg"
check "the two ISOs have the same bytes" cmp "$iso" "$WORK/twice.iso"
check "the other files of boot/efi.img are kept" cmp <(in_efi "$iso" EFI/BOOT/BOOTX64.EFI) "$tree/EFI/BOOT/BOOTX64.EFI"
check "customize of an ISO with a key succeeds" rs customize "$iso" --key "$WORK/key.pub"
check "the ISO's host.cfg has the key" grep -qF "$(cut -d' ' -f2 "$WORK/key.pub")" <(in_efi "$iso" rackstrap/host.cfg)
check "customize of an ISO with a rack.cfg succeeds" rs customize "$iso" --rack "$WORK/rack.cfg"
check "the rack.cfg replaces the host.cfg" test "$(mdir -b -i "$iso@@$efi" ::/rackstrap)" = ::/rackstrap/rack.cfg
check "inspect of an ISO succeeds" rs inspect "$iso"
grep -q '^node-1 .*node' "$WORK/out" || fail "inspect of an ISO shows the rack's hosts"
dd if="$iso" of="$WORK/fat" bs=1M iflag=skip_bytes skip="$efi" count=4 status=none
check "the FAT is sound" fsck.vfat -n "$WORK/fat"
check "nothing else of the ISO changed" sh -c "cmp -l '$iso' '$WORK/plain.iso' |
	awk '\$1 <= $efi || \$1 > $efi + 4194304 { exit 1 }'"
truncate -s 17M "$WORK/iso.tree/rackstrap/a/manifest.json"
make_iso "$WORK/large.iso"
refuse "inspect of an ISO with a huge manifest is refused" 1 \
	"rackstrap: $WORK/large.iso: rackstrap/a/manifest.json: is larger than 16 MiB, and no such file of rackstrap is: the image is damaged, or another program wrote to it" \
	rs inspect "$WORK/large.iso"
rm "$WORK/large.iso"
cp "$slot/manifest.json" "$WORK/iso.tree/rackstrap/a/manifest.json"
mdel -i "$iso@@$efi" ::/rackstrap/rack.cfg
check "customize of an ISO with an empty folder for the configuration succeeds" rs customize "$iso" --host "$WORK/host.cfg"
check "that ISO has the host.cfg" cmp <(in_efi "$iso" rackstrap/host.cfg) "$WORK/host.cfg"

# --- media of one image -----------------------------------------------------------------
tag_in() { grep -ao 'medium=[A-Z]*=[-0-9A-Za-z_]*' | sed 's/medium=//'; } # a grubenv
write_to() { # FILE SIZE IMAGE ARGS...: writes the image to a new disk
	local loop
	truncate -s "$2" "$1"
	loop=$(losetup -f --show "$1") || bail "no loop device"
	loops+=("$loop")
	rs write "$3" "$loop" --yes --serial "${loop#/dev/}" "${@:4}"
}
# Checks that a written disk is sound, and is found by the GUID that its own grubenv has.
own_guid() { # DISK
	sound "$1" && test "PARTUUID=$(part_uuid "$1")" = "$(read_fat "$1" boot/grub/grubenv | tag_in)"
}
volume_id() { mlabel -s -i "$1@@$fat" :: >/dev/null; mdir -i "$1@@$fat" ::/ | grep 'Serial Number'; }
own_label() { # DISK
	local label
	label=LABEL=$(blkid -c /dev/null -p -o value -s LABEL "$1")
	test "$label" = "$(xorriso -osirrox on -indev "$1" -extract /boot/grub/grubenv "$WORK/env" 2>/dev/null; tag_in <"$WORK/env")" &&
		test "$label" = "$(in_efi "$1" boot/grub/grubenv | tag_in)" && sgdisk -v "$1" | grep -q 'No problems found'
}
written=$disk
if [ "$(id -u)" = 0 ]; then
	written=$WORK/one.disk
	check "a disk is written" write_to "$WORK/one.disk" 65M "$disk"
	keep
	check "write says by what it is found" grep -q ": boots as PARTUUID=$(part_uuid "$WORK/one.disk"), which" "$WORK/all"
	check "another disk is written, from a zst of the image" write_to "$WORK/two.disk" 65M "$WORK/disk.zst"
	for d in one two; do
		truncate -s 64M "$WORK/$d.disk" # sgdisk wants the copy of the table at the end
		check "$d is sound, and finds itself" own_guid "$WORK/$d.disk"
	done
	check "no two have the same GUIDs" test "$(sfdisk -q -d "$WORK/one.disk" "$WORK/two.disk" "$disk" |
		grep -oE '(label-id: |uuid=)[-0-9A-F]+' | sort | uniq -d | wc -l)" = 0
	check "no two have the same volume id" test "$(for d in "$WORK"/{one,two}.disk "$disk"; do volume_id "$d"; done | sort -u | wc -l)" = 3
	check "nothing else differs" sh -c "cmp -l '$disk' '$WORK/one.disk' | awk '
		\$1 <= 34 * 512 || \$1 > 64 * 1048576 - 33 * 512 || (\$1 > $fat && \$1 <= $fat + 4096) { next } { n++ }
		END { exit n > 36 }'" # and the GUID in grubenv
	check "a disk is written with the image's GUIDs" write_to "$WORK/kept.disk" 64M "$disk" --keep-guids
	check "it has the image's bytes" cmp "$disk" "$WORK/kept.disk"
	check "an ISO is written" write_to "$WORK/one.iso" 20M "$iso"
	check "another ISO is written" write_to "$WORK/two.iso" 20M "$iso"
	for d in one two; do
		truncate -s "$(size "$iso")" "$WORK/$d.iso"
		check "$d finds itself" own_label "$WORK/$d.iso"
	done
	check "the two have other labels" test "$(for d in "$WORK"/{one,two}.iso "$iso"; do
		blkid -c /dev/null -p -o value -s LABEL "$d"; done | sort -u | wc -l)" = 3
	check "inspect finds no fault in a written ISO" rs inspect "$WORK/one.iso"
	make_disk "$WORK/old.img"
	mdel -i "$WORK/old.img@@$fat" ::/boot/grub/grubenv
	check "a disk of an earlier version is written" write_to "$WORK/old.disk" 64M "$WORK/old.img"
	keep
	check "it gets a warning" grep -q "warning: $WORK/old.img: was made by an earlier rackstrap" "$WORK/all"
	check "it has the image's bytes" cmp "$WORK/old.img" "$WORK/old.disk"
	rm "$WORK"/{two,kept,old}.disk "$WORK"/{two.iso,old.img}
fi

# --- compared ---------------------------------------------------------------------------
check "verify finds no difference on a disk, with an empty TMPDIR" env TMPDIR= "$RACKSTRAP" verify "$written"
cp "$WORK/out" "$WORK/counted"
check "verify counts the disk's files" grep -qx "$written: 7 files of the medium and 3 of the root are as they were built" "$WORK/counted"

# The file that an image is unpacked into has no name, and libguestfs needs one.
if is_long; then formats="qcow2 zst"; else formats=zst; fi
for f in $formats; do
	check "verify of a $f finds no difference" rs verify "$WORK/disk.$f"
	cp "$WORK/out" "$WORK/counted"
	keep
	check "the machine's line names the $f" grep -q "^rackstrap: $WORK/disk.$f: starting libguestfs" "$WORK/all"
	check "verify of a $f counts the same files" grep -q ': 7 files of the medium and 3 of the root are' "$WORK/counted"
done
check "nothing is left in TMPDIR" test -z "$(find "$WORK" -maxdepth 1 -name 'rackstrap.*')"

# All differences at once: a file changed, one missing, one too many; and a root that matches
# SHA256SUMS but not the manifest.
bad=$WORK/bad.img
echo 'says evil!' >"$root/usr/bin/hello"
rm "$root/etc/hello"
mksquashfs "$root" "$WORK/root2" -quiet -no-progress -all-root -noappend >/dev/null
make_disk "$bad"
mcopy -o -i "$bad@@$fat" "$WORK/root2" ::/rackstrap/a/root.squashfs
mcopy -i "$bad@@$fat" "$WORK/host.cfg" ::/EFI/BOOT/extra.efi
mcopy -i "$bad@@$fat" "$WORK/host.cfg" ::/boot/efi.img
env_of PARTUUID=01234567-89ab-4def-8123-456789abcdef | mcopy -o -i "$bad@@$fat" - ::/boot/grub/grubenv
mdel -i "$bad@@$fat" ::/rackstrap/a/slot.cfg
refuse "verify finds every difference on a disk" 1 "rackstrap: $bad: 7 differences" rs verify "$bad"
cp "$WORK/err" "$WORK/found"
for line in "rackstrap/a/root.squashfs: has sha256 $(sum "$WORK/root2"), not $(sum "$slot/root.squashfs")" \
	'rackstrap/a/slot.cfg: is missing' 'EFI/BOOT/extra.efi: is not in rackstrap/SHA256SUMS' \
	'boot/efi.img: is not in rackstrap/SHA256SUMS' \
	"boot/grub/grubenv: boots from PARTUUID=01234567-89ab-4def-8123-456789abcdef, and this medium is PARTUUID=$(part_uuid "$bad")" \
	"/usr/bin/hello: has sha256 $(sum "$root/usr/bin/hello"), not "'*' '/etc/hello: is missing in the root'; do
	check "verify reports ${line%%:*}" grep -qF "rackstrap: $bad: ${line%'*'}" "$WORK/found"
done

# One file has many names: it is not read again for each.
verify_repeated() {
	make_disk "$bad"
	truncate -s 20M "$WORK/big"
	mcopy -i "$bad@@$fat" "$WORK/big" ::/big
	for name in big ./big .//big ././big; do echo "$(sum "$WORK/big")  $name"; done >"$WORK/sums"
	mcopy -o -i "$bad@@$fat" "$WORK/sums" ::/rackstrap/SHA256SUMS
	refuse "verify reads no more than the image has" 1 \
		"rackstrap: ././big: the files listed have more bytes together than the image: refused" rs verify "$bad"
}

# A disk of 4096-byte sectors: its table counts in them, and its FAT can only be mounted on such a disk.
verify_4096() {
	disk4=$WORK/disk4.img
	truncate -s 320M "$disk4"
	printf 'label: gpt\nsize=256, type=21686148-6449-6E6F-744E-656564454649, name=rackstrap-bios
size=76800, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, name=rackstrap-boot\nsize=256, name=rackstrap-state\n' >"$WORK/script"
	printf 'g\nI\n%s\nw\n' "$WORK/script" | fdisk --noauto-pt -b 4096 "$disk4" >/dev/null 2>&1
	mkfs.vfat -F32 -S4096 -s1 -nRACKSTRAP --offset=$((fat / 4096)) "$disk4" 307200 >/dev/null
	mcopy -s -i "$disk4@@$fat" "$tree"/* ::/
	check "verify finds no difference on a disk of 4096-byte sectors" rs verify "$disk4"
	cp "$WORK/out" "$WORK/counted"
	check "verify counts the files on a disk of 4096-byte sectors" grep -qx "$disk4: 7 files of the medium and 3 of the root are as they were built" "$WORK/counted"
}
if is_long; then verify_repeated && verify_4096; fi

# An ISO: files that its list cannot have are no difference, the files in boot/efi.img are compared.
if is_long; then
	check "verify finds no difference in an ISO" rs verify "$iso"
	cp "$WORK/out" "$WORK/counted"
	check "verify counts the ISO's files" grep -qx "$iso: 8 files of the medium and 3 of the root are as they were built" "$WORK/counted"
fi
bad=$WORK/bad.iso squash=$WORK/iso.tree/rackstrap/a/root.squashfs
printf X | dd of="$squash" bs=1 seek=$(($(size "$squash") - 1)) conv=notrunc status=none # its padding
echo 'GRUB' >"$WORK/changed"
mcopy -D o -i "$WORK/iso.tree/boot/efi.img" "$WORK/changed" ::/EFI/BOOT/BOOTX64.EFI
mcopy -i "$WORK/iso.tree/boot/efi.img" "$WORK/changed" ::/EFI/BOOT/extra.efi
mcopy -i "$WORK/iso.tree/boot/efi.img" "$tree/rackstrap/a/vmlinuz" ::/vmlinuz
echo more >"$WORK/iso.tree/boot/grub/more.cfg"
rm "$WORK/iso.tree/rackstrap/a/slot.cfg" "$WORK/iso.tree/rackstrap/a/initrd.img"
mkfifo "$WORK/iso.tree/rackstrap/a/slot.cfg" # verify must not wait for it
ln -s vmlinuz "$WORK/iso.tree/rackstrap/a/initrd.img"
make_iso "$bad"
refuse "verify finds every difference in an ISO" 1 "rackstrap: $bad: 7 differences" rs verify "$bad"
cp "$WORK/err" "$WORK/found"
for line in "rackstrap/a/root.squashfs: has sha256 $(sum "$squash"), not $(sum "$slot/root.squashfs")" \
	"boot/efi.img: EFI/BOOT/BOOTX64.EFI: has sha256 $(sum "$WORK/changed"), not $(sum "$tree/EFI/BOOT/BOOTX64.EFI")" \
	'boot/efi.img: EFI/BOOT/extra.efi: is not in rackstrap/SHA256SUMS' \
	'boot/efi.img: vmlinuz: is not in rackstrap/SHA256SUMS' 'boot/grub/more.cfg: is not in rackstrap/SHA256SUMS' \
	'rackstrap/a/slot.cfg: is not a file' 'rackstrap/a/initrd.img: is not a file'; do
	check "verify reports ${line%:*}" grep -qxF "rackstrap: $bad: $line" "$WORK/found"
done

refuse "verify of an image that rackstrap did not make is refused" 1 \
	"rackstrap: $WORK/foreign: is no disk or ISO that rackstrap made: it has no manifest" rs verify "$WORK/foreign"
finish
