#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Customize hook of mmdebstrap(1), with the tree's folder as $1. Makes an initrd for each
# kernel that has none. mmdebstrap runs with INITRD=No, which keeps kernel packages from
# making one before every package is configured, and initramfs-tools from making it again.
set -e
for k in "$1"/boot/vmlinu[xz]-*; do
	v=${k##*/vmlinu?-}
	[ ! -e "$k" ] || [ -e "$1/boot/initrd.img-$v" ] ||
		chroot "$1" update-initramfs -c -k "$v"
done
