#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Faults around a build: each gives one line and exit status 1, leaves no image, and the next build
# succeeds. The archive and recipe are those of test/small.sh: a case takes a second.
. "$(dirname "$0")/../tap.sh"
. test/small.sh
tap_cleanup() { stop_site; }
CFG=$WORK/recipe/recipe.cfg
sum=$(sha256sum <"$WORK/site/kubelet" | cut -c1-64)
artifact() { # SHA256 [URL]
	recipe tool
	sed -i "s|^artifacts.*|artifacts = ( { name = \"kubelet\"; url = \"${2:-http://files.invalid/kubelet}\"; sha256 = \"$1\"; to = \"/usr/local/bin/kubelet\"; mode = \"0755\"; } );|" "$CFG"
}
build() { "$RACKSTRAP" build "$WORK/recipe" --output "$WORK/images" "${FROM[@]}" "$@"; }
nothing() { [ -z "$(find "$WORK/images" -mindepth 1 -maxdepth 1 ! -name '.*' 2>/dev/null)" ]; }
# Lets the package "tool" depend on another one, or on none.
depend() { # [NAME]
	[ $# = 0 ] || deb "$1" 1.0
	deb tool 1.0 ${1:+"Depends: $1"}
	publish
}

# --- the cases -------------------------------------------------------------------------
artifact "$sum"
cp -r "$WORK/recipe" "$WORK/small"
refuse "a build into the recipe's own folder is refused" 1 \
	"rackstrap: $WORK/small exists and is not an image: name another folder with --output" \
	"$RACKSTRAP" build "$WORK/small" --output "$WORK" "${FROM[@]}"
check "the recipe is kept and nothing is created beside it" test -s "$WORK/small/recipe.cfg" \
	-a ! -e "$WORK/.small.lock"
check "no base is made for it" sh -c "! ls '$RACKSTRAP_CACHE/base' 2>/dev/null | grep ."

mv "$WORK/site/debian" "$WORK/site/away"
refuse "an archive that is not there fails the build" 1 "rackstrap: the archive of small: apt-get exited with 100: *does not have a Release file*" build
check "no image is left" nothing
mv "$WORK/site/away" "$WORK/site/debian"
depend broken
refuse "an mmdebstrap that fails fails the build" 1 \
	"rackstrap: mmdebstrap exited with 1: E: a package is broken (the whole log is *.log)" build
check "no image is left" nothing
check "nothing is left in TMPDIR" test -z "$(ls "$TMPDIR")"
depend large
sed 's/packages = /limit = "1M"; &/' "$CFG" >"$WORK/cfg"
mv "$CFG" "$WORK/cfg.whole"
mv "$WORK/cfg" "$CFG"
refuse "a program that writes more than the limit fails the build" 1 \
	"rackstrap: mmdebstrap *File size limit exceeded* (key 'limit' of the base allows larger files; the whole log is *.log)" build
mv "$WORK/cfg.whole" "$CFG"
depend terminal
check "a base whose programs write what a terminal obeys is made" "$RACKSTRAP" fetch "$WORK/recipe" "${FROM[@]}"
log=$(grep -l terminal_1.0 "$RACKSTRAP_CACHE"/base/*.log)
check "the log is harmless and has the rest" test "$(tail -n 3 "$log")" = "$(printf 'x?[2J??2J???\n50%%\nend')"
check "the base has no log in it" sh -c "! ls -A '${log%.log}' | grep log"
depend

# Names become paths of the archive that the sandbox reads.
publish '/^Package: tool$/,/^$/s|^Version: .*|Version: 1.0/../x|'
refuse "a version with a slash is refused" 1 \
	"rackstrap: pool/main/t/tool/tool_1.0_all.deb: package 'tool', version '1.0/../x', architecture 'all': no valid names: archive refused" \
	"$RACKSTRAP" lock "$WORK/recipe" "${FROM[@]}"
publish 's|^Package: essential|Package: Essential_|'
refuse "a package's name with capitals is refused" 1 \
	"rackstrap: pool/main/e/essential/essential_1.0_all.deb: package 'Essential_', *: no valid names: archive refused" \
	"$RACKSTRAP" lock "$WORK/recipe" "${FROM[@]}"
depend

# An apt-get that notes its largest file in KiB, and who downloads.
cat >"$WORK/bin/apt-get" <<S
#!/bin/bash
echo "\$(ulimit -f) \$*" >>"$WORK/limits"
grep -h '^APT::Sandbox' "\$APT_CONFIG" >>"$WORK/users"
[ ! -e "$WORK/large" ] || { echo "E: Sub-process store received signal 25." >&2; exit 100; }
/usr/bin/apt-get "\$@" || exit
ls -ld "\$(dirname "\$APT_CONFIG")"/{apt.conf,state/lists/partial} >>"$WORK/owners"
S
chmod 755 "$WORK/bin/apt-get"
check "an image is made with that apt-get" build --refresh
check "an index may have 1 GiB" grep -q '^1048576 .* update$' "$WORK/limits"
check "a package may have 16 GiB" grep -q '^16777216 .* --download-only' "$WORK/limits"
if [ "$(id -u)" = 0 ] && getent passwd _apt >/dev/null; then
	check "apt downloads as its own user" test "$(sort -u "$WORK/users")" = 'APT::Sandbox::User "_apt";'
	check "apt gives its folder of downloads to that user" grep -q '^drwx------ .* _apt .*/partial$' "$WORK/owners"
	check "its configuration is closed to others" grep -q '^-rw-r----- .* root .*/apt.conf$' "$WORK/owners"
	mkdir -m 700 "$WORK/closed"
	mkdir "$WORK/closed/tmp"
	check "apt downloads as root where that user cannot go" env TMPDIR="$WORK/closed/tmp" \
		"$RACKSTRAP" build "$WORK/recipe" --output "$WORK/images" "${FROM[@]}" --refresh
	check "apt stays root without a user _apt that can read" test "$(tail -n 1 "$WORK/users")" = 'APT::Sandbox::User "root";'
	check "and in a user namespace without that user" unshare -rm "$RACKSTRAP" lock "$WORK/recipe" "${FROM[@]}"
	check "apt stays root there, too" test "$(tail -n 1 "$WORK/users")" = 'APT::Sandbox::User "root";'
	rm -f "$WORK/recipe/recipe.lock"
fi
touch "$WORK/large"
refuse "an archive with an index that is too large is refused" 1 \
	"rackstrap: the archive of small: a file of the archive is larger than 1024 MiB: refused: apt-get exited with 100: E: Sub-process store received signal 25." \
	build --refresh
rm -r "$WORK/large" "$WORK/bin/apt-get" "$WORK/images"

artifact "$(printf 'f%.0s' $(seq 64))"
refuse "a wrong digest fails the build" 1 \
	"rackstrap: *http://files.invalid/kubelet: sha256 is $sum, expected ffffffff*" build
check "no image is left" nothing

artifact "$(printf "a%.0s" $(seq 64))" http://files.invalid/absent
refuse "a file that the server does not have fails the build" 1 "rackstrap: *http://files.invalid/absent: *404*" build
artifact "$sum"

mkdir -p "$WORK/few"
for t in env sh bash mmdebstrap python3 cat; do ln -sf "$(command -v $t)" "$WORK/few/$t"; done
refuse "missing tools fail the build" 4 "rackstrap: *" \
	env PATH="$WORK/few" "$RACKSTRAP" build "$WORK/recipe" --output "$WORK/images" "${FROM[@]}"
cp "$WORK/err" "$WORK/said"
check "each with the name of its package" grep -q 'mksquashfs.*package squashfs-tools' "$WORK/said"
check "no image is left" nothing

depend slow
RACKSTRAP_CACHE=$WORK/cache2 "$RACKSTRAP" build "$WORK/recipe" --output "$WORK/images" "${FROM[@]}" 2>/dev/null >/dev/null &
pid=$!
# The program in the sandbox has written to its log.
running() { grep -qs slow_1.0 "$WORK"/cache2/base/.*/log; }
until running || ! kill -0 $pid; do sleep 0.1; done
check "a build is in the middle of its base" running
kill -9 $pid
wait $pid 2>/dev/null
depend
check "a killed build leaves no image" nothing
check "a killed build leaves its folder in TMPDIR" test "$(cd "$TMPDIR" && echo base.rackstrap-*)" != 'base.rackstrap-*'
check "the next build with the same cache succeeds" env RACKSTRAP_CACHE="$WORK/cache2" \
	"$RACKSTRAP" build "$WORK/recipe" --output "$WORK/others" "${FROM[@]}"
check "the next build removes that folder" test -z "$(ls "$TMPDIR")"

check "the base is made" "$RACKSTRAP" fetch "$WORK/recipe" "${FROM[@]}"
if unshare -rm true 2>/dev/null; then
	refuse "a full disk fails the build" 1 "rackstrap: *[Nn]o space left on device*" unshare -rm bash -c "
		mount -t tmpfs -o size=64k none '$WORK/images' 2>/dev/null || { mkdir -p '$WORK/images' && mount -t tmpfs -o size=64k none '$WORK/images'; }
		'$RACKSTRAP' build '$WORK/recipe' --output '$WORK/images' ${FROM[*]} || exit
		exit 99"
else
	skip "a full disk fails the build" "no unprivileged mount namespace here"
fi

check "the next build succeeds" build
check "the digests match SHA256SUMS" sh -c "cd $WORK/images/small && sha256sum -c --strict SHA256SUMS"
check "no temporary folder is left" sh -c "test -z \"\$(ls -A $WORK/images | grep -v -e '^small\$' -e lock)\""
# Every run of mmdebstrap begins its log again.
bases() { stat -c '%n %i %y' "$RACKSTRAP_CACHE"/base/*.log; }
bases >"$WORK/bases"
check "one more build succeeds" build
check "it takes the base from the cache" test "$(bases)" = "$(cat "$WORK/bases")"
check "an offline build succeeds" build --offline
sed -i '2i# a version later' "$WORK/bin/mmdebstrap"
refuse "an offline build refuses a base that another version of mmdebstrap made" 1 \
	"rackstrap: the base of small is not in the cache, and --offline was given (*)" build --offline
check "a build with the other version of mmdebstrap succeeds" build
check "the base is made again" test "$(bases | wc -l)" = $(($(wc -l <"$WORK/bases") + 1))

# In a namespace that has the boot server's address.
chmod 755 "$WORK"
check "pxe makes a boot tree" "$RACKSTRAP" pxe configs/demo.cfg --image "$WORK/images/small" -o "$WORK/tree" \
	--interface lo --http-port 8123
refuse "serve refuses a port in use" 4 "rackstrap: port 8123/tcp is taken by python3 (pid *)" \
	unshare --user --map-root-user --net --pid --fork --kill-child bash -c "
		ip link set lo up && ip address add 172.25.0.1/24 dev lo || exit 98
		python3 -m http.server --bind 172.25.0.1 8123 >'$WORK/http.log' 2>&1 &
		for _ in \$(seq 2000); do (: >/dev/tcp/172.25.0.1/8123) 2>/dev/null && break; sleep 0.1; done
		'$RACKSTRAP' serve '$WORK/tree'"
finish
