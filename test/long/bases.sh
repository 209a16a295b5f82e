#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Bases of type tar and disk: one small Debian tree as a tar.gz by URL, as a layer in a
# registry, and on the ext4 of a qcow2. Each gets a package on top and the initrd that the recipe
# describes, and loses the files that belong to the container or machine.
. "$(dirname "$0")/../tap.sh"
export RACKSTRAP_CACHE=$WORK/cache HOME=$WORK/home
mkdir -p "$HOME/.config/containers" "$WORK/http"
tap_cleanup() { for p in ${HTTPD:-} ${REGISTRY:-}; do kill "$p" 2>/dev/null; done; }
sources=$(apt-get indextargets --format '$(CODENAME) $(REPO_URI)' | awk '$1 == "bookworm" { print $2; exit }')

# The tree: with a kernel, and with files that a container leaves in its root.
mmdebstrap --quiet --variant=apt --format=tar --include=linux-image-cloud-amd64,initramfs-tools \
	--aptopt='APT::Install-Recommends "false"' \
	--customize-hook='echo "exit 101" >$1/usr/sbin/policy-rc.d; chmod 755 $1/usr/sbin/policy-rc.d' \
	--customize-hook='echo nameserver 192.0.2.1 >$1/etc/resolv.conf' \
	--customize-hook='echo /dev/vda1 / ext4 defaults 0 1 >$1/etc/fstab' \
	bookworm "$WORK/tree.tar" "$sources" 2>"$WORK/log" || { note <"$WORK/log"; bail "no tree"; }
pigz -k "$WORK/tree.tar" 2>/dev/null || gzip -1k "$WORK/tree.tar"
ln "$WORK/tree.tar.gz" "$WORK/http/"

python3 test/httpd.py "$WORK/http" "$WORK/port" &
HTTPD=$!
python3 - "$WORK" <<'P'
import hashlib, json, os, sys
work = sys.argv[1]
sha = lambda d: "sha256:" + hashlib.sha256(d).hexdigest()
layer = open(work + "/tree.tar.gz", "rb").read()
h = hashlib.sha256()
with open(work + "/tree.tar", "rb") as f:
    while chunk := f.read(1 << 20):
        h.update(chunk)
config = json.dumps({"os": "linux", "architecture": "amd64", "config": {}, "rootfs": {
    "type": "layers", "diff_ids": ["sha256:" + h.hexdigest()]}}).encode()
d = "application/vnd.docker."
m = json.dumps({"schemaVersion": 2, "mediaType": d + "distribution.manifest.v2+json",
    "config": {"mediaType": d + "container.image.v1+json", "size": len(config), "digest": sha(config)},
    "layers": [{"mediaType": d + "image.rootfs.diff.tar.gzip", "size": len(layer), "digest": sha(layer)}]}).encode()
os.makedirs(work + "/reg/blobs")
os.makedirs(work + "/reg/manifests/team/root")
for b in (layer, config):
    open(work + "/reg/blobs/" + sha(b), "wb").write(b)
for key in ("15.04", sha(m)):
    open(work + "/reg/manifests/team/root/" + key, "wb").write(m)
    open(work + "/reg/manifests/team/root/" + key + ".type", "w").write(d + "distribution.manifest.v2+json")
open(work + "/digests", "w").write("manifest=%s layer=%s\n" % (sha(m), sha(layer)))
P
manifest='' layer=''
eval "$(cat "$WORK/digests")"
python3 test/build/containers.py serve "$WORK/reg" "$WORK/reg.port" &
REGISTRY=$!
for _ in $(seq 1000); do [ -s "$WORK/port" ] && [ -s "$WORK/reg.port" ] && break; sleep 0.1; done
url=http://127.0.0.1:$(cat "$WORK/port")
at=127.0.0.1:$(cat "$WORK/reg.port")
printf '[[registry]]\nlocation = "%s"\ninsecure = true\n' "$at" >"$HOME/.config/containers/registries.conf"

# The disk is made as cloud images are: a partition table, an ext4 with the tree.
mkdir "$WORK/root" && tar -C "$WORK/root" -xpf "$WORK/tree.tar"
truncate -s 2G "$WORK/disk.raw"
printf 'label: gpt\nstart=2048, type=linux\n' | sfdisk -q "$WORK/disk.raw"
mke2fs -q -t ext4 -d "$WORK/root" -E offset=1048576 "$WORK/disk.raw" 2000M
qemu-img convert -O qcow2 "$WORK/disk.raw" "$WORK/http/disk.qcow2"
rm -rf "$WORK/root" "$WORK/disk.raw"

recipe() { # NAME BASE
	mkdir -p "$WORK/$1"
	cat >"$WORK/$1/recipe.cfg" <<-R
		version = 1;
		name = "$1";
		base = { $2
			suite = "bookworm"; components = [ "main" ]; packages = [ "tree" ]; };
		squashfs = { compression = "lz4"; };
		initramfs = { modules = [ "loop", "squashfs", "overlay" ]; compress = "gzip"; };
		images = [ "pxe" ];
	R
}
recipe tar "type = \"tar\"; url = \"$url/tree.tar.gz\";"
recipe layer "type = \"tar\"; image = \"$at/team/root:15.04\"; digest = \"$manifest\"; layer = \"$layer\";"
recipe disk "type = \"disk\"; url = \"$url/disk.qcow2\";"
for name in tar disk layer; do
	check "$name: is locked" "$RACKSTRAP" lock "$WORK/$name"
	check "$name: is built" "$RACKSTRAP" build "$WORK/$name" --output "$WORK/baked" || continue
	unsquashfs -lls "$WORK/baked/$name/root.squashfs" >"$WORK/ll"
	check "$name: the root has the package on top" grep -q 'squashfs-root/usr/bin/tree$' "$WORK/ll"
	check "$name: the manifest has the package on top" grep -q '"name": "tree"' "$WORK/baked/$name/manifest.json"
	check "$name: the root has no file of the container and no devices" sh -c \
		"! grep -E 'root/(usr/sbin/policy-rc.d|etc/resolv.conf)|^[bc]' '$WORK/ll'"
	check "$name: the initrd has the recipe's modules" sh -c \
		"lsinitramfs $WORK/baked/$name/initrd.img >$WORK/initrd && grep -q scripts/rackstrap $WORK/initrd &&
		grep -q 'squashfs.ko' $WORK/initrd && ! grep -q 'nvme.ko' $WORK/initrd"
	check "$name: a second build takes the base from the cache" sh -c \
		"'$RACKSTRAP' build $WORK/$name --output $WORK/baked 2>&1 | grep -q 'base: cached'"
done
check "the same tree by URL and from the registry makes the same base, byte for byte" test \
	"$(sort "$RACKSTRAP_CACHE"/base/*/complete | uniq -d | cut -d' ' -f3 | sort | xargs)" = \
	"initrd.img owners packages root.tar vmlinuz"
qemu-img create -q -f qcow2 -b "$WORK/http/disk.qcow2" -F qcow2 "$WORK/http/backed.qcow2"
recipe backed "type = \"disk\"; url = \"$url/backed.qcow2\";"
said="rackstrap: $WORK/backed/recipe.cfg:3: base: $url/backed.qcow2: disk: a qcow2 with a backing file: image refused"
refuse "lock refuses a qcow2 that refers to another file" 1 "$said" "$RACKSTRAP" lock "$WORK/backed"
printf 'version = 1;\ninputs = ( { url = "%s"; size = "%s"; sha256 = "%s"; } );\n' "$url/backed.qcow2" \
	"$(stat -c %s "$WORK/http/backed.qcow2")" "$(sha256sum <"$WORK/http/backed.qcow2" | cut -d' ' -f1)" \
	>"$WORK/backed/recipe.lock"
refuse "build refuses a qcow2 that refers to another file" 1 "$said" "$RACKSTRAP" build "$WORK/backed" --output "$WORK/baked"
finish
