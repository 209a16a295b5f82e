#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Hook of initramfs-tools(7): copies the recipe's initramfs.tools into the initrd. Fails
# when one of them does not exist.
set -e
case "$1" in prereqs) exit 0 ;; esac
# shellcheck source=/dev/null
. /usr/share/initramfs-tools/hook-functions
tools='@tools@'
for tool in $tools; do
	copy_exec "$tool"
done
