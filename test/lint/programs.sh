#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The table of all calls that run a program, with what the program reads and whose code it is:
#
#	own	reads what rackstrap wrote, or this machine's own settings
#	data	a program of this machine reads bytes that came from elsewhere
#	guest	starts a virtual machine, in which code from elsewhere runs
#	sandbox	runs code from elsewhere in a sandbox (builder/common/sandbox.h)
#	host	runs on a node, as part of it
#
# Code from elsewhere is run nowhere else: a new call gets a row, and a reader sees its class.
. "$(dirname "$0")/../tap.sh"

calls() {
	cat <<-'END'
	builder/base/apt-root.c run own true ends at once, as apt's user, if that one can read our folders
	builder/base/apt-root.c run_capture data apt-get and apt-cache read an archive's signed indexes
	builder/base/apt.c run_capture own apt-get and apt-config print this machine's settings
	builder/base/mmdebstrap.c sandbox_start sandbox mmdebstrap runs maintainer scripts and programs of a foreign tree
	builder/cmd-customize.c run_argv data cp copies an image
	builder/common/accel.c run_capture guest QEMU runs a few instructions of our own
	builder/common/disk-format.c run_argv own qemu-img and zstd write a disk image that rackstrap made
	builder/common/fat-check.c run data fsck.fat reads a FAT that rackstrap or customize has written
	builder/common/guest.c guestfs_launch guest libguestfs reads a foreign disk image
	builder/common/sandbox.c run own install and rm prepare and remove a sandbox's folder
	builder/common/sandbox.c run_argv own rm removes a sandbox's folder
	builder/common/sandbox.c run_start sandbox starts what sandbox_start is given
	builder/common/subids.c run_capture own getsubids prints the caller's subordinate ids
	builder/disk/disk-image.c run_capture data qemu-img measures such a disk image
	builder/disk/disk-image.c run_argv data qemu-img reads a disk image without a reference to other files
	builder/disk/disk-view.c run_capture data mtools, xorriso and dumpe2fs read a disk image
	builder/disk/disk-view.c run data mtools change a file of a disk image
	builder/image/fat.c run_capture own mtools write a file system that rackstrap made
	builder/image/fat.c run_start own mtype reads the files of that file system back
	builder/image/grub.c run_argv own grub-mkstandalone makes a boot loader of this machine's GRUB
	builder/image/image-iso.c run own xorriso writes an ISO image
	builder/input/registry.c run_start data skopeo copies a container image
	builder/cmd-ssh.c run_start own ssh logs in on a machine of the rack, in its namespaces
	builder/rack/rack-program.c run_start own the operator's program tests the rack
	builder/rack/rack-ssh.c run own ssh-keygen makes a key
	builder/rack/rack-vm.c run_start guest QEMU runs a machine of the rack
	builder/recipe/template-check.c run_input data sh parses a script that a recipe's template makes, and runs nothing
	builder/root/squash.c run_start data mksquashfs reads a tar stream that rackstrap writes
	lib/userns.c run_argv own newuidmap and newgidmap write the maps of a namespace
	pxe/serve-dhcp.c run own dnsmasq and Kea test configurations that rackstrap made
	pxe/serve-reload.c run_argv own nginx tests a configuration that rackstrap made
	pxe/serve.c run_start data dnsmasq, Kea and nginx answer the rack's network
	firstboot/feature/docker.c run_capture host docker lists images and starts a container of the image
	firstboot/feature/docker.c run host docker loads a container image of the image
	firstboot/feature/nat.c run_capture host iptables-save prints the rules
	firstboot/feature/nat.c run_input host iptables-restore sets the rules
	firstboot/heal.c run_argv host systemctl restarts a unit
	firstboot/http.c run_capture host curl fetches the host's configuration or sends its report
	firstboot/steps.c run_argv host systemctl and ip apply the plan
	firstboot/units.c run_capture host systemctl prints the state of units
	END
}

# Prints "FILE FUNCTION" for each call of the product's C, with comments and strings left out.
found() {
	git ls-files 'lib/*.c' 'firstboot/*.c' 'pxe/*.c' 'builder/*.c' | grep -v -e '^lib/run' |
		while read -r f; do
			gcc -fpreprocessed -dD -E -P -x c "$f" 2>/dev/null |
				sed 's/"\([^"\\]\|\\.\)*"//g' |
				grep -oE '(^|[^a-z_>.])(run|run_start|run_argv|run_capture|run_input|sandbox_start|guestfs_launch)\(([&a-z(]|$)' |
				sed -E "s|^[^a-z]*([a-z_]+)\(.*|$f \1|"
		done | sort -u
}

git rev-parse --is-inside-work-tree >/dev/null 2>&1 ||
	{ skip "programs" "not a git work tree: the list of files is unknown"; finish; }
found | grep -v '^builder/common/sandbox.c sandbox_start$' >"$WORK/found"
calls | cut -d' ' -f1,2 | sort -u >"$WORK/table"
[ "$(wc -l <"$WORK/found")" -gt 20 ] || bail "only $(wc -l <"$WORK/found") calls are found"
quiet "every call that runs a program is in the table" comm -23 "$WORK/found" "$WORK/table"
quiet "every row of the table is a call" comm -13 "$WORK/found" "$WORK/table"
quiet "every row has a class" bash -c "$(declare -f calls); calls | grep -vE '^[^ ]+ [^ ]+ (own|data|guest|sandbox|host) .'"
finish
