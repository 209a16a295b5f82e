#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Bakes images/bookworm-2015 from archives in the official layouts under the official URLs, and
# checks that every program, unit and folder is at its place in the root. images/vivid has the
# same except for its base; test/qemu/vivid.sh bakes it.
. "$(dirname "$0")/../tap.sh"
. test/recipes.sh
OUT=$WORK/baked/bookworm-2015
lock=$WORK/recipe.lock

check "the recipe itself has two digests" test \
	"$(grep -cE '^\s+sha(256|512) = ' images/bookworm-2015/recipe.cfg)" = 2
refuse "lock refuses stand-ins where the shipped recipe has a digest" 1 \
	"rackstrap: docker://gcr.io/google_containers/pause@sha256:*" \
	"$RACKSTRAP" lock images/bookworm-2015 --output "$lock" "${FROM[@]}"
check "each of them has a line of its own, in the recipe's order, the container without a copy last" test \
	"$(grep -cE '^rackstrap: (https://.*: sha.*expected|docker://gcr.io/.*pause@sha256:)' "$WORK/err")" = 3
check "lock writes no file then" test ! -e "$lock"
copy_recipes "$WORK"
check "the copy of the recipes differs in these digests and 'standin' only" test \
	"$(diff -r images "$WORK/images" | grep -c '^[<>]')" = 10

recipe=$WORK/images/bookworm-2015
refuse "build refuses a recipe without a lock" 3 "rackstrap: *: no digest: give each sha256 or sha512, or run \`rackstrap lock *" \
	"$RACKSTRAP" build "$recipe" --output "$WORK/baked" "${FROM[@]}"
check "lock of the copy succeeds" "$RACKSTRAP" lock "$recipe" "${FROM[@]}"
check "the lock has the official URLs and none of a mirror" sh -c \
	"test \$(grep -c 'url = \"https://' '$recipe/recipe.lock') = 5 && grep -c 'url = \"docker://' '$recipe/recipe.lock' | grep -qx 2 && ! grep -F '$MIRROR' '$recipe/recipe.lock'"
check "build of the copy succeeds" "$RACKSTRAP" build "$recipe" --output "$WORK/baked" "${FROM[@]}" || finish
check "the digests match SHA256SUMS" sh -c "cd $OUT && sha256sum -c --strict SHA256SUMS"

unsquashfs -lls "$OUT/root.squashfs" >"$WORK/ll"
lsinitramfs "$OUT/initrd.img" >"$WORK/initrd.list"
check "manifest.json agrees with unsquashfs, lsinitramfs and SHA256SUMS" \
	python3 test/build/manifest.py "$OUT" "$WORK/ll" "$WORK/initrd.list"
check "manifest.spdx.json is SPDX 2.3 and agrees with manifest.json" python3 test/build/spdx.py "$OUT"
check_2015 "$WORK/ll" "$OUT/root.squashfs"
check "the root has no Docker, etcd or kubectl of Debian" sh -c \
	"! grep -E 'usr/(sbin/dockerd|bin/(etcd|kubectl|containerd))' '$WORK/ll'"
check "the root has git and no perl" sh -c "grep -q 'squashfs-root/usr/bin/git\$' '$WORK/ll' &&
	! grep -E 'squashfs-root/usr/(bin/perl|share/perl/|lib/x86_64-linux-gnu/(perl/|libperl))' '$WORK/ll'"
check "the kernel command line selects cgroup v1" grep -q \
	'"net.ifnames=0 systemd.unified_cgroup_hierarchy=0 panic=30 loglevel=6"' "$OUT/manifest.json"
check "build of an ISO succeeds" "$RACKSTRAP" build "$recipe" --output "$WORK/iso" --type iso "${FROM[@]}"
check "xorriso extracts EFI/BOOT of the ISO" xorriso -osirrox on -indev "$WORK/iso/bookworm-2015/boot.iso" -extract /EFI/BOOT "$WORK/efi"
check "EFI/BOOT has shim and GRUB" test "$(find "$WORK/efi" -type f -printf '%f\n' | sort | tr '\n' ' ')" = \
	"BOOTX64.EFI grubx64.efi mmx64.efi "
check "shim is signed by Microsoft, GRUB by Debian" sh -c \
	"grep -q 'Microsoft Corporation UEFI CA' $WORK/efi/BOOTX64.EFI && grep -q 'Debian Secure Boot CA' $WORK/efi/grubx64.efi"
finish
