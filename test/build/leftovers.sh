#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# pxe, customize, cache export and lock are killed (SIGKILL) at their calls that make, rename, link
# or remove a file, one call at a time (strace(1) sends the signal): at each in check-long, at some
# in check. Then another command runs, and what was killed has left nothing behind and lost nothing.
. "$(dirname "$0")/../tap.sh"
. test/small.sh
tap_cleanup() { stop_site; }
CALLS=mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,rmdir,chmod,fchmod,fsync,syncfs
LEFT=$RACKSTRAP_CACHE/left

"$RACKSTRAP" lock "$WORK/recipe" "${FROM[@]}" >/dev/null 2>&1 || bail "no lock"
sed -i 's/^\timages = .*/\timages = [ "pxe", "disk" ];/; s/^images = .*/images = [ "pxe", "disk" ];/' "$WORK/recipe/recipe.cfg"
check "an image is built" "$RACKSTRAP" build "$WORK/recipe" --output "$WORK/images" "${FROM[@]}" || finish
IMAGE=$WORK/images/small

# Any command removes what is left, whatever left it.
next_command() { "$RACKSTRAP" cache list >/dev/null; }
nothing_left() { # FOLDER...
	[ -z "$(find "$@" "$TMPDIR" -mindepth 1 \( -name '.?*' -o -name '*.??????' -o -name '*.part' \) -prune -print)" ] &&
		[ -z "$(ls -A "$LEFT")" ]
}

# Runs COMMAND and sends SIGKILL at its Nth call of these. Usage: kill_at CALLS N COMMAND...
kill_at() {
	strace -f -o /dev/null -e "trace=$1" -e "inject=$1:signal=KILL:when=$2" "${@:3}" >"$WORK/said" 2>&1 &
	wait $! 2>/dev/null
}

# Kills COMMAND at its calls, and after each kill runs the function AFTER, and BEFORE before each.
# Reports one case.
# Usage: killed_everywhere WHAT STEP BEFORE AFTER COMMAND...
killed_everywhere() {
	local what=$1 step=$2 before=$3 after=$4 n=1 kills=0 bad=()
	shift 4
	! is_long || step=1
	while :; do
		$before
		kill_at $CALLS "$n" "$@"
		[ $? = 137 ] || break
		kills=$((kills + 1))
		next_command 2>>"$WORK/said"
		$after >>"$WORK/said" 2>&1 || { bad+=("call $n"); note <"$WORK/said"; }
		n=$((n + step))
	done
	echo "# $what: killed $kills times"
	if [ $kills -ge 3 ] && [ ${#bad[@]} = 0 ]; then pass "$what"; else fail "$what: ${bad[*]}"; fi
}

# --- pxe -------------------------------------------------------------------------------
mkdir "$WORK/srv"
TREE=$WORK/srv/tree
PXE=("$RACKSTRAP" pxe configs/demo.cfg --image "$IMAGE" -o "$TREE" --http-port)
# Succeeds when the two trees are the same, without what the servers write.
same_tree() { diff -r --no-dereference -x report -x run "$1" "$TREE"; }
"${PXE[@]}" 8001 >/dev/null 2>&1 && cp -a "$TREE" "$WORK/tree1" # with one secret
"${PXE[@]}" 8002 >/dev/null 2>&1 && mv "$TREE" "$WORK/tree2"
check "two trees are rendered, which differ" sh -c "! diff -rq '$WORK/tree1' '$WORK/tree2' && test -e '$WORK/tree2/tree.cfg'"
old_tree() {
	rm -rf "$TREE"
	cp -a "$WORK/tree1" "$TREE"
	for i in 1 2 3; do echo "report $i" >"$TREE/http/report/node-$i.json"; done
	echo "a line" >"$TREE/run/access.log"
	chmod 775 "$TREE/http/report"
}
reports() { [ "$(cat "$TREE"/http/report/node-[123].json)" = "$(printf 'report %s\n' 1 2 3)" ]; }
after_pxe() {
	nothing_left "$WORK/srv" && reports && [ "$(cat "$TREE/run/access.log")" = "a line" ] &&
		[ "$(stat -c %a "$TREE/http/report")" = 775 ] && { same_tree "$WORK/tree1" || same_tree "$WORK/tree2"; }
}
killed_everywhere "pxe, killed at any call, loses no report and leaves no tree" 11 old_tree after_pxe "${PXE[@]}" 8002

# One host has changed, so that the files of the others are links to those of the old tree, which
# also has an image of before.
sed 's/52:54:00:25:00:12/52:54:00:25:00:21/' configs/demo.cfg >"$WORK/one.cfg"
PXE_ONE=("${PXE[@]/#configs\/demo.cfg/$WORK/one.cfg}")
keep_image() { # TREE
	mkdir -p "$1/http/images/0000000000000000-00000000-00000001"
	echo root >"$1/http/images/0000000000000000-00000000-00000001/root.cpio"
	printf 'keep-for 86400\n0000000000000000-00000000-00000001 %s\n' "$now" >"$1/images.kept"
}
now=$(date +%s)
keep_image "$WORK/tree1"
cp -a "$WORK/tree2" "$WORK/tree2.demo"
rm -rf "$TREE" && cp -a "$WORK/tree1" "$TREE"
"${PXE_ONE[@]}" 8001 >"$WORK/said" 2>/dev/null && rm -rf "$WORK/tree2" && mv "$TREE" "$WORK/tree2"
check "a tree is rendered in which one host differs" grep -qF "3 hosts (1 written, 2 kept)" "$WORK/said"
check "it has the image of before" test -s "$WORK/tree2/http/images/0000000000000000-00000000-00000001/root.cpio"
killed_everywhere "pxe of one changed host, killed at any call, leaves one of both trees" 7 old_tree after_pxe "${PXE_ONE[@]}" 8001
rm -rf "$WORK/tree2" && mv "$WORK/tree2.demo" "$WORK/tree2"
rm -rf "$WORK/tree1"/{http/images/0000000000000000-00000000-00000001,images.kept}
printf 'keep-for 86400\n' >"$WORK/tree1/images.kept"

# At the exchange itself and the calls behind it, in check too.
swap() { # N: kills pxe at its call renameat2 number N
	old_tree
	kill_at renameat2 "$1" "${PXE[@]}" 8002
}
# The new tree has the reports as soon as it is in place.
behind() { # kills pxe at the first removal behind the exchange
	old_tree
	strace -f -o "$WORK/trace" -e trace=renameat2,unlinkat,renameat "${PXE[@]}" 8002 >"$WORK/said" 2>&1
	n=$(awk '/renameat2\(.*EXCHANGE/ { seen = 1; next } /unlinkat\(/ { if (seen) { print n + 1; exit } n++ }' "$WORK/trace")
	old_tree
	kill_at unlinkat "$n" "${PXE[@]}" 8002
}
swap 1
check "pxe killed at the exchange leaves the old tree" same_tree "$WORK/tree1"
next_command
check "it has all reports, and nothing else is left" after_pxe
behind
check "pxe killed behind the exchange leaves the new tree" same_tree "$WORK/tree2"
check "which has all reports already" reports
left=$(find "$WORK/srv" -maxdepth 1 -name '.tree.rackstrap-*')
check "the old tree is still there" test -e "$left/tree.cfg"
# A report that came between the links and the exchange is in the old tree only.
echo "late" >"$left/http/report/node-4.json"
echo "later than the link" >"$WORK/new" && mv "$WORK/new" "$left/http/report/node-3.json"
echo "written since" >"$WORK/new" && mv "$WORK/new" "$TREE/http/report/node-2.json"
touch -d '-1 day' "$TREE/http/report/node-2.json" # a host chooses this time
check "status, the next command, finds the reports" sh -c "'$RACKSTRAP' status '$TREE'; grep -qx late '$TREE/http/report/node-4.json'"
check "of two reports the later one counts" test "$(cat "$TREE"/http/report/node-[1234].json)" = \
	"$(printf '%s\n' "report 1" "written since" "later than the link" late)"
check "the old tree is removed" nothing_left "$WORK/srv"

# A living process keeps its folder.
mkfifo "$WORK/rack.cfg"
living() {
	strace -f -o /dev/null -e trace=syncfs -e inject=syncfs:signal=STOP:when=1 "${PXE[@]}" 8001 >"$WORK/said" 2>&1 &
	pid=$!
	while kill -0 "$pid"; do
		left=$(find "$WORK/srv" -maxdepth 1 -name '.tree.rackstrap-*')
		[ -n "$left" ] && [ -e "$left/nginx.conf" ] && [[ $(ps -o stat= --ppid "$pid") == [tT]* ]] && break
		sleep 0.02
	done
	next_command
	[ -e "$left/nginx.conf" ]
}
check "the folder of a living pxe is kept" living
kill -KILL "$(ps -o pid= --ppid "$pid" | tr -d " ")"
wait "$pid" 2>/dev/null
next_command
check "it is removed when pxe is dead" nothing_left "$WORK/srv"

# --- customize -------------------------------------------------------------------------
cat >"$WORK/host.cfg" <<'END'
name = "node-1"; role = "node"; cluster = "demo";
address = "172.25.0.11/24"; gateway = "172.25.0.1"; master = "172.25.0.10";
cbr0 = "192.168.1.1/24";
END
mkdir "$WORK/disks"
DISK=$WORK/disks/disk.img
old_disk() {
	cp --sparse=always "$IMAGE/disk.img" "$DISK"
	(cd "$IMAGE" && grep -e disk.img -e vmlinuz SHA256SUMS) >"$WORK/disks/SHA256SUMS"
}
old_disk
was=$(sed -n 's/  disk.img$//p' "$IMAGE/SHA256SUMS")
check "an image is customized" "$RACKSTRAP" customize "$DISK" --host "$WORK/host.cfg"
is=$(sha256sum <"$DISK" | cut -d' ' -f1)
cp --sparse=always "$DISK" "$WORK/new.img"
check "SHA256SUMS beside it has its new digest" test "$is  disk.img" = "$(grep disk.img "$WORK/disks/SHA256SUMS")"
check "the other line of SHA256SUMS is there" grep -q '  vmlinuz$' "$WORK/disks/SHA256SUMS"
after_customize() {
	local now='' listed
	cmp -s "$DISK" "$IMAGE/disk.img" && now=$was
	cmp -s "$DISK" "$WORK/new.img" && now=$is
	listed=$(sed -n 's/  disk.img$//p' "$WORK/disks/SHA256SUMS")
	nothing_left "$WORK/disks" && [ -n "$now" ] && [[ -z $listed || $listed == "$now" ]] &&
		grep -q '  vmlinuz$' "$WORK/disks/SHA256SUMS"
}
killed_everywhere "customize, killed at any call, leaves one of the images and no folder" 7 old_disk after_customize \
	"$RACKSTRAP" customize "$DISK" --host "$WORK/host.cfg"

# --- cache export and lock -------------------------------------------------------------
no_mirror() { rm -rf "$WORK/mirror"; }
after_export() { # every file that has its name is whole
	nothing_left "$WORK/mirror" || return 1
	find "$WORK/mirror" -type f ! -name SHA256SUMS | while read -r f; do
		[ -e "$RACKSTRAP_CACHE/blobs/sha256/$(sha256sum <"$f" | cut -d' ' -f1)" ] || exit 1
	done
}
killed_everywhere "cache export, killed at any call, leaves whole files only" 13 no_mirror after_export \
	"$RACKSTRAP" cache export "$WORK/mirror"
cp "$WORK/recipe/recipe.lock" "$WORK/was.lock"
no_lock() { cp "$WORK/was.lock" "$WORK/recipe/recipe.lock" && sed -i 's/when = "[^"]*"/when = ""/' "$WORK/recipe/recipe.lock"; }
after_lock() {
	nothing_left "$WORK/recipe" && diff -I 'when =' "$WORK/was.lock" "$WORK/recipe/recipe.lock"
}
is_long && killed_everywhere "lock, killed at any call, leaves one of the locks" 1 no_lock after_lock \
	"$RACKSTRAP" lock "$WORK/recipe" "${FROM[@]}"
finish
