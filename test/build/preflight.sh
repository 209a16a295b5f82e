#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# All mistakes that can be known before a base is made are reported before that, together, and
# `build --dry-run` finds the same as far as it needs no network.
. "$(dirname "$0")/../tap.sh"
. test/small.sh
tap_cleanup() { stop_site; }
unset SOURCE_DATE_EPOCH RACKSTRAP_MIRROR

build() { # ARGS...
	"$RACKSTRAP" build "$WORK/recipe" --output "$WORK/out.d" "${FROM[@]}" "$@"
}
says() { # WHAT LINE: one of the lines that the last `refuse` saw
	check "$1" grep -qxF -- "$2" "$WORK/said"
}
keep() { cp "$WORK/err" "$WORK/said"; }
recipe=$WORK/recipe/recipe.cfg
no_base() { check "$1: no base was made" test -z "$(ls "$RACKSTRAP_CACHE/base" 2>/dev/null)"; }

# --- the lock -----------------------------------------------------------------------------
refuse "dry run: no digest" 3 "rackstrap: $recipe:5: artifact 'kubelet': no digest: give it sha256 or sha512, or run \`rackstrap lock $recipe\`" \
	build --dry-run
check "dry run: makes no cache" test ! -e "$RACKSTRAP_CACHE/base"
refuse "dry run: a lock that does not exist" 1 "rackstrap: --lock: $WORK/no.lock: No such file or directory" build --dry-run --lock "$WORK/no.lock"
echo 'version = ' >"$WORK/bad.lock"
refuse "dry run: a lock that is no lock" 3 "rackstrap: $WORK/bad.lock:*" build --dry-run --lock "$WORK/bad.lock"
cp "$recipe" "$WORK/recipe.was"
sed -i 's|^artifacts = (|& { name = "b"; url = "https://files.invalid/b"; to = "/b"; mode = "0644"; },\n{ name = "s"; url = "http://x.invalid:80/s"; standin = true; to = "/s"; mode = "0644"; },|' "$recipe"
refuse "two inputs and a stand-in without digests" 3 "rackstrap: $recipe:6: artifact 's': no digest, and stand-ins that no server has: \`test/bake $WORK/recipe\` in the sources of rackstrap makes, serves and locks them" build
keep
says "the two are one complaint" "rackstrap: $recipe:5: artifact 'b', artifact 'kubelet': no digest: give each sha256 or sha512, or run \`rackstrap lock $recipe\`"
check "and there is no third" test "$(wc -l <"$WORK/said")" = 2
cp "$WORK/recipe.was" "$recipe"

check "the recipe is locked" "$RACKSTRAP" lock "$WORK/recipe" --artifacts "${FROM[@]}"
check "dry run: a locked recipe passes" build --dry-run
for dir in /nope /etc/passwd; do
	for dry in --dry-run ''; do
		TMPDIR=$dir refuse "TMPDIR=$dir $dry" 1 "rackstrap: TMPDIR: $dir: *" build --verify $dry
	done
done
touch "$WORK/file"
ln -s "$WORK/nowhere" "$WORK/dangling"
for dry in --dry-run ''; do
	refuse "a cache below a file $dry" 1 "rackstrap: cache $WORK/file/a: Not a directory" build --cache "$WORK/file/a" $dry
	refuse "a cache that is a dangling link $dry" 1 "rackstrap: cache: $WORK/dangling*" build --cache "$WORK/dangling" $dry
	refuse "no place for a cache $dry" 1 "rackstrap: no place for the cache: *" \
		env -u RACKSTRAP_CACHE -u XDG_CACHE_HOME -u HOME "$RACKSTRAP" build "$WORK/recipe" --output "$WORK/out.d" "${FROM[@]}" $dry
done
build --dry-run --json >"$WORK/plan.json" 2>"$WORK/wrong"
check "dry run: the plan as JSON" python3 - "$WORK/plan.json" <<'P'
import json, sys
plan = json.load(open(sys.argv[1]))
assert plan["format"] == 1 and plan["name"] == "small", plan
assert [a["name"] for a in plan["artifacts"]] == ["kubelet"]
assert {"rackstrap-firstboot.service", "rackstrap-node.target"} <= {u["name"] for u in plan["units"]}
assert [r["name"] for r in plan["roles"]] == ["master", "node"]
assert "systemd-networkd.service" in plan["enable"] and plan["images"] == ["pxe"]
P

printf '%s\n' 'version = 1;' 'name = "typo";' 'images = [ "pxe" ];' \
	"base = { type = \"suite\"; suite = \"bookwrom\"; components = [ \"main\" ]; mirror = \"$SITE/none\"; kernel = \"linux-image-amd64\"; };" \
	>"$WORK/typo.cfg"
refuse "lock: a suite with a typing mistake" 1 \
	"rackstrap: $WORK/typo.cfg:4: base: suite: the archive has no 'bookwrom' (did you mean 'bookworm'?)" \
	"$RACKSTRAP" lock "$WORK/typo.cfg"

# --- this machine -------------------------------------------------------------------------
mkdir "$WORK/few"
for d in /usr/sbin /usr/bin; do ln -sf "$d"/* "$WORK/few/"; done
rm -f "$WORK"/few/{mksquashfs,xorriso,mmdebstrap,qemu-img}
touch "$WORK/file"
refuse "missing programs, and a wrong output" 1 "rackstrap: *" \
	env PATH="$WORK/few" "$RACKSTRAP" build "$WORK/recipe" --output "$WORK/file/x" --type iso --type disk --firstboot "$WORK/none" "${FROM[@]}"
keep
says "the output's folder is reported" "rackstrap: --output: $WORK/file/x: $WORK/file is not a folder"
says "firstboot is reported" "rackstrap: firstboot $WORK/none (--firstboot names another): No such file or directory"
says "mksquashfs is reported" "rackstrap: mksquashfs: not found in PATH; it is in the package squashfs-tools"
says "mmdebstrap is reported" "rackstrap: mmdebstrap: not found in PATH; it is in the package mmdebstrap"
says "xorriso is reported" "rackstrap: image 'iso': xorriso: not found in PATH; it is in the package xorriso"
says "qemu-img is reported, once" "rackstrap: image 'disk': qemu-img: not found in PATH; it is in the package qemu-utils"
check "and nothing else" test "$(wc -l <"$WORK/said")" = 6 || note <"$WORK/said"
printf '%s\n' 'containers = ( { image = "q/w:1"; } );' >>"$recipe"
rm -f "$WORK/few/skopeo"
refuse "a container without a digest, and no skopeo" 3 "rackstrap: *" \
	env PATH="$WORK/few:$WORK/bin" "$RACKSTRAP" build "$WORK/recipe" --dry-run
keep
says "skopeo is reported" "rackstrap: skopeo: not found in PATH; it is in the package skopeo"
refuse "lock without skopeo" 4 "rackstrap: *skopeo: not found in PATH; it is in the package skopeo*" \
	env PATH="$WORK/few" "$RACKSTRAP" lock "$WORK/recipe" "${FROM[@]}"
cp "$WORK/recipe.was" "$recipe"
rm -f "$WORK/few/apt-get"
ln -sf /usr/bin/mmdebstrap "$WORK/few/"
for command in lock fetch; do
	refuse "$command without apt-get" 4 "rackstrap: *apt-get: not found in PATH; it is in the package apt*" \
		env PATH="$WORK/few" "$RACKSTRAP" "$command" "$WORK/recipe" "${FROM[@]}"
done
for command in inspect customize; do
	words=()
	[ $command = inspect ] || words=(--key "$WORK/key.pub")
	qemu-img create -q -f qcow2 "$WORK/disk.qcow2" 16M
	echo "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl a" >"$WORK/key.pub"
	refuse "$command of a qcow2 without qemu-img" 4 "rackstrap: *qemu-img*qemu-utils*" \
		env PATH="$WORK/few" "$RACKSTRAP" "$command" "$WORK/disk.qcow2" "${words[@]}"
done
ln -sf /usr/bin/apt-get "$WORK/few/"
rm -f "$WORK/few/mmdebstrap"

# A user without subordinate ids.
printf '#!/bin/sh\nexit 1\n' >"$WORK/bin/getsubids"
chmod 755 "$WORK/bin/getsubids"
AS=()
[ "$(id -u)" != 0 ] || AS=(setpriv --reuid 65534 --regid 65534 --clear-groups)
chmod -R a+rX "$WORK/recipe" "$WORK/bin"
mkdir -m 777 "$WORK/theirs"
user=$(id -un)
[ "$(id -u)" != 0 ] || user=nobody
cp "$RACKSTRAP" "$ABS_O/firstboot" "$WORK/theirs/"
refuse "no subordinate ids" 4 "rackstrap: user '$user' has no 65536 subordinate ids, *: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $user, *" \
	"${AS[@]}" env TMPDIR="$WORK/theirs" RACKSTRAP_CACHE="$WORK/theirs/cache" "$WORK/theirs/rackstrap" build "$WORK/recipe" --dry-run --output "$WORK/theirs/out" "${FROM[@]}"
refuse "fetch: no subordinate ids" 4 "rackstrap: user '$user' has no 65536 subordinate ids, *" \
	"${AS[@]}" env TMPDIR="$WORK/theirs" RACKSTRAP_CACHE="$WORK/theirs/cache" "$WORK/theirs/rackstrap" fetch "$WORK/recipe" "${FROM[@]}"
check "nothing was fetched" test -z "$(find "$WORK/theirs/cache" -type f -path '*blobs*')"
rm "$WORK/bin/getsubids"
refuse "fetch: no mmdebstrap" 4 "rackstrap: mmdebstrap: not found in PATH; it is in the package mmdebstrap" \
	env PATH="$WORK/few" "$RACKSTRAP" fetch "$WORK/recipe" --cache "$WORK/fetched" "${FROM[@]}"

# Too little space in each of the three places: they are one file system of 20 MiB.
mkdir "$WORK/tiny"
refuse "too little space" 4 \
	"rackstrap: not enough space: 20.0 MiB are free, at least [0-9]* MiB are needed (temporary files (\$TMPDIR) in $WORK/tiny/tmp: [0-9]* MiB, inputs and base (--cache) in $WORK/tiny/cache: [0-9]* MiB, the image (--output) in $WORK/tiny/out: [0-9]* MiB)" \
	unshare -rm sh -c "mount -t tmpfs -o size=20m none '$WORK/tiny' && mkdir '$WORK/tiny/tmp' &&
		TMPDIR='$WORK/tiny/tmp' '$RACKSTRAP' build '$WORK/recipe' --dry-run --cache '$WORK/tiny/cache' --output '$WORK/tiny/out'"

# --- the cache ----------------------------------------------------------------------------
(cd "$WORK" && echo x >member && tar -czf site/v1/a.tar.gz member)
artifact() { # MEMBER...
	local members
	members=$(printf ', { path = "%s"; to = "/opt/%s"; mode = "0644"; }' "$1" "$1" "${2-$1}" "${2-$1}")
	[ $# = 2 ] || members=${members%,*path*}
	sed "s|^artifacts = (|& { name = \"a\"; url = \"http://files.invalid/v1/a.tar.gz\"; sha256 = \"$(sha256sum <"$WORK/site/v1/a.tar.gz" | cut -c1-64)\"; extract = ( ${members#, } ); },|" \
		"$WORK/recipe.was" >"$recipe"
}
artifact nosuch
check "dry run: what is not in the cache is not known" build --dry-run
refuse "a member that the archive does not have" 1 "rackstrap: $recipe:5: artifact 'a': *nosuch*" build
no_base "a missing member"
refuse "dry run: the same, now that the cache has it" 1 "rackstrap: $recipe:5: artifact 'a': *nosuch*" build --dry-run
cp "$WORK/recipe.was" "$recipe"

# --- the packages -------------------------------------------------------------------------
m=$WORK/packages/kernel/lib/modules/6.1.0-test
mkdir -p "$m/kernel/fs"
touch "$m"/kernel/fs/{overlay,squashfs,virtio_net}.ko
echo kernel/drivers/block/loop.ko >"$m/modules.builtin"
deb kernel 6.1
rm "$WORK/packages/essential/usr/bin/curl"
deb essential 1.0 "Essential: yes"
mkdir -p "$WORK/packages/tool/lib/systemd/system"
printf '[Install]\nAlias=other.service\n' >"$WORK/packages/tool/lib/systemd/system/tool.service"
deb tool 1.0
publish
cat >>"$recipe" <<'R'
initramfs = { modules = [ "squashfs", "virtio-net", "virtio_nat" ]; };
enable = [ "absent.service" ];
disable = [ "other.service", "gone.timer" ];
files = ( { to = "/lib/systemd"; content = "x"; } );
R
refuse "what the packages do not have" 3 "rackstrap: *" build
keep
says "a module" "rackstrap: $recipe:8: initramfs: kernel has no module 'virtio_nat' (did you mean 'virtio_net'?)"
says "a module that the boot script needs" "rackstrap: $recipe:8: initramfs: modules: 'overlay' is missing, with which the boot script mounts the root image"
says "a unit to enable" "rackstrap: $recipe:9: enable: neither the recipe nor the base has a unit 'absent.service'"
says "a unit to disable" "rackstrap: $recipe:10: disable: neither the recipe nor the base has a unit 'gone.timer'"
says "a file in the place of a folder" "rackstrap: $recipe:11: /lib/systemd is a directory in the base"
says "a program" "rackstrap: $recipe:6: roles: the image has no program 'curl', but firstboot fetches settings and sends reports with it: add the package curl to the base ($recipe:3), and do not exclude it"
check "and nothing else" test "$(grep -c 'recipe.cfg:' "$WORK/said")" = 6 || note <"$WORK/said"
no_base "missing files"

# --- a later failure ----------------------------------------------------------------------
make_system "$WORK/packages/essential"
deb essential 1.0 "Essential: yes"
publish
cp "$WORK/recipe.was" "$recipe"
printf '#!/bin/sh\nexit 1\n' >"$WORK/bin/mksquashfs"
chmod 755 "$WORK/bin/mksquashfs"
refuse "a build whose root image fails" 1 "rackstrap: *mksquashfs*" build
rm "$WORK/bin/mksquashfs"
check "the next one succeeds" build
keep
check "and takes the base that was made" grep -q '^rackstrap: base: cached' "$WORK/said"

# --- a full file system, with a cached base -------------------------------------------------
# The image is made on a file system that is filled then; SCRIPT is run before the second build.
full() { # SCRIPT
	unshare -rm bash -c "mount -t tmpfs -o size=20m none '$WORK/tiny' || exit
		build() { '$RACKSTRAP' build '$WORK/recipe' --output '$WORK/tiny' ${FROM[*]}; }
		build && { cat /dev/zero >'$WORK/tiny/rest'; $1; build; }"
}
check "an unchanged image needs no space" full :
keep
check "it was unchanged" grep -q '/small: unchanged' "$WORK/said"
refuse "another image needs space" 4 \
	"rackstrap: not enough space: 0 B are free, at least * are needed (the image (--output) in $WORK/tiny: *)" \
	full "echo 'exclude = [ \"/nothing\" ];' >>'$recipe'"
keep
check "an exclude that matches nothing is a warning" \
	grep -q "^rackstrap: warning: $recipe:[0-9]*: exclude: '/nothing' matches nothing in the base\$" "$WORK/said"
finish
