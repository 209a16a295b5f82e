#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A write of a program that makes an image fails (EIO, ENOSPC; strace(1) injects it), once or from
# then on: the build fails, or the image is right all the same. mcopy exits with 0 when one of its
# last writes fails. check has that case, check-long every program.
. "$(dirname "$0")/../tap.sh"
. test/small.sh
tap_cleanup() { stop_site; }
IMAGE=$WORK/images/small
"$RACKSTRAP" lock "$WORK/recipe" "${FROM[@]}" >/dev/null 2>&1 || bail "no lock"
types='"disk"'
! is_long || types='"pxe", "disk", "iso"'
sed -i "s/^\t\t*images = .*/images = [ $types ];/; s/^images = .*/images = [ $types ];/" "$WORK/recipe/recipe.cfg"
! is_long || echo 'media : { formats = [ "raw", "qcow2", "zst" ]; };' >>"$WORK/recipe/recipe.cfg"
check "an image is built" "$RACKSTRAP" build "$WORK/recipe" --output "$WORK/images" "${FROM[@]}" || finish
cp "$IMAGE/SHA256SUMS" "$WORK/want"
mkdir "$WORK/wrap"

# Wraps a program so that its calls CALLS fail with ERROR at WHEN (of strace). Usage:
# wrap PROGRAM CALLS ERROR WHEN
wrap() {
	cat >"$WORK/wrap/$1" <<-S
		#!/bin/sh
		exec strace -f -o $WORK/trace.\$\$ -e trace=$2 -e inject=$2:error=$3:when=$4 $(command -v "$1") "\$@"
	S
	chmod +x "$WORK/wrap/$1"
}
# Builds with the wrapped program. Prints "not reached", "same", "error" or "wrong".
outcome() {
	rm -f "$WORK"/trace.*
	[ "$1" != mksquashfs ] || rm -rf "$RACKSTRAP_CACHE/root"
	if PATH=$WORK/wrap:$PATH timeout 1200 "$RACKSTRAP" build "$WORK/recipe" --output "$WORK/images" --offline >/dev/null 2>"$WORK/said"; then
		cmp -s "$WORK/want" "$IMAGE/SHA256SUMS" && result=same || result=wrong
	else
		result=error
	fi
	grep -qs INJECTED "$WORK"/trace.* || result="not reached"
	rm -f "$WORK/wrap/$1"
	echo "$result"
}

wrap mcopy write,pwrite64 EIO 1
check "a write that mcopy has lost is noticed" test "$(outcome mcopy)" = error
check "the error says so" grep -q "^rackstrap: image 'disk': .*/disk.img: \(its FAT file system is not as it was written\|.* is not as it was written: mcopy failed\)" "$WORK/said"
is_long || finish

# qemu-img waits for itself when a write to its own eventfd fails.
programs="mkfs.vfat:write,pwrite64 mmd:write,pwrite64 mcopy:write,pwrite64 grub-mkimage:write,writev
	xorriso:write,pwrite64 qemu-img:pwrite64,pwritev zstd:write mksquashfs:write,pwrite64"
for p in $programs; do
	program=${p%:*} calls=${p#*:} bad=() n_error=0 n_same=0
	for calls in "$calls" fsync,fdatasync; do
		for error in EIO ENOSPC; do
			for n in 1 2 3 4 5 6 7 8 10 15 20 30 50; do
				for more in '' +; do
					wrap "$program" "$calls" $error "$n$more"
					case $(outcome "$program") in
					error) n_error=$((n_error + 1)) ;;
					same) n_same=$((n_same + 1)) ;;
					wrong) bad+=("$calls $error $n$more") ;;
					*) break 2 ;;
					esac
				done
			done
		done
	done
	echo "# $program: $n_error errors, $n_same times the same image"
	if [ ${#bad[@]} = 0 ] && [ $n_error -gt 0 ]; then
		pass "no failed write of $program makes another image"
	else
		fail "no failed write of $program makes another image: ${bad[*]}"
	fi
done

# The same for the calls of rackstrap itself, with the base and the root image in the cache.
own=("$RACKSTRAP" build "$WORK/recipe" --output "$WORK/images" --offline --type pxe)
check "a PXE set is built" "${own[@]}"
cp -r "$IMAGE" "$WORK/whole"
for calls in write fsync renameat,renameat2 linkat unlinkat,rmdir mkdir,mkdirat fchmod,chmod ftruncate utimensat \
	copy_file_range close; do
	bad=() n=1
	while :; do
		strace -f -o "$WORK/trace" -e "trace=$calls" -e "inject=$calls:error=EIO:when=$n" \
			"${own[@]}" >/dev/null 2>"$WORK/said" && rc=0 || rc=1
		grep -q INJECTED "$WORK/trace" || break
		[ "$rc" = 1 ] || diff -r "$WORK/whole" "$IMAGE" >&2 || bad+=("$n")
		n=$((n + 1))
	done
	if [ "${#bad[@]}" = 0 ]; then
		pass "no failed call of $calls makes another image ($n calls)"
	else
		fail "no failed call of $calls makes another image: ${bad[*]}"
	fi
done
finish
