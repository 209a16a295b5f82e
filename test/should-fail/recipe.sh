#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The shipped recipes pass; then the command lines of build, lock and fetch that are refused, and
# locks that are.
. "$(dirname "$0")/../tap.sh"
unset SOURCE_DATE_EPOCH RACKSTRAP_MIRROR RACKSTRAP_CACHE

for recipe in images/*/recipe.cfg; do
	case $recipe in
	*/plain*) role=server ;;
	*/slurm*) role=controller ;;
	*) role=node ;;
	esac
	case $role in server | controller)
		check "$recipe lacks nothing" "$RACKSTRAP" build --dry-run "$recipe"
		cp "$WORK/out" "$WORK/plan"
		check "$recipe: its plan is printed" grep -q "^role $role" "$WORK/plan"
		continue
		;;
	esac
	refuse "$recipe lacks digests and nothing else" 3 "rackstrap: *: no digest*" "$RACKSTRAP" build --dry-run "$recipe"
	cp "$WORK/out" "$WORK/plan"
	check "$recipe: its plan is printed" grep -q "^role $role" "$WORK/plan"
done

refuse "a recipe that does not exist" 1 'rackstrap: /nonexistent: cannot be read: No such file or directory' \
	"$RACKSTRAP" build --dry-run /nonexistent
refuse "a name of no recipe" 1 "rackstrap: recipe 'nosuch' is neither in this folder nor installed: *" \
	"$RACKSTRAP" build nosuch
refuse "a path of no recipe" 1 'rackstrap: ./nosuch/recipe.cfg: cannot be read: No such file or directory' \
	"$RACKSTRAP" build ./nosuch/recipe.cfg
refuse "a folder without a recipe" 1 \
	'rackstrap: man/recipe.cfg: cannot be read: No such file or directory' "$RACKSTRAP" lock man
mkfifo "$WORK/pipe"
printf 'version = 1;\ninclude = "pipe";\nname = "outer";\n' >"$WORK/pipe.cfg"
refuse "an include of a pipe" 1 \
	"rackstrap: $WORK/pipe.cfg:2: include: $WORK/pipe: must be a file, or a folder with recipe.cfg" \
	timeout 300 "$RACKSTRAP" build --dry-run "$WORK/pipe.cfg"
mkdir "$WORK/template"
printf '%s\n' 'version = 1;' "include = \"$TOP/test/should-fail/recipe/good\";" 'name = "t";' 'roles = ( { name = "node"; } );' \
	'templates = ( { path = "/etc/x"; file = "x"; format = "plain"; } );' >"$WORK/template/recipe.cfg"
for size in 65536 65537; do
	head -c "$size" /dev/zero | tr '\0' x >"$WORK/template/x"
	refuse "a template of $size bytes" 3 \
		"$([ "$size" = 65536 ] && echo 'rackstrap: *: no digest*' || echo "rackstrap: $WORK/template/recipe.cfg:5: template: $WORK/template/x: is larger than 64 KiB")" \
		"$RACKSTRAP" build --dry-run "$WORK/template"
done
printf 'a\0b' >"$WORK/template/x"
refuse "a template with a zero byte" 3 "rackstrap: $WORK/template/recipe.cfg:5: template: $WORK/template/x: has a zero byte, and is no text" \
	"$RACKSTRAP" build --dry-run "$WORK/template"
# Files that are there, but not for this user; root may read all.
mkdir "$WORK/closed"
cp "$RACKSTRAP" "$WORK/closed/"
: >"$WORK/closed/a.service"
chmod 0 "$WORK/closed/a.service"
printf '%s\n' 'version = 1;' "include = \"$TOP/test/should-fail/recipe/good\";" 'name = "c";' 'units = [ "a.service" ];' \
	'files = ( { to = "/c"; source = "a.service"; } );' >"$WORK/closed/recipe.cfg"
AS=()
[ "$(id -u)" != 0 ] || AS=(setpriv --reuid 65534 --regid 65534 --clear-groups)
chmod 755 "$WORK" "$WORK/closed"
for command in "build --dry-run" lock fetch; do
	# shellcheck disable=SC2086 # two words
	refuse "${command%% *}: files that the user may not read" 1 "rackstrap: $WORK/closed/recipe.cfg:4: units: $WORK/closed/a.service: Permission denied" \
		"${AS[@]}" "$WORK/closed/rackstrap" $command "$WORK/closed"
	cp "$WORK/err" "$WORK/said"
	check "the source is reported on a line before" grep -qxF \
		"rackstrap: $WORK/closed/recipe.cfg:5: source: $WORK/closed/a.service: Permission denied" "$WORK/said"
done
refuse "a SOURCE_DATE_EPOCH that is not a number" 3 \
	"rackstrap: SOURCE_DATE_EPOCH: must be seconds since 1970, not 'now'" \
	env SOURCE_DATE_EPOCH=now "$RACKSTRAP" build --dry-run images/bookworm
for command in build lock fetch; do
	refuse "$command: no recipe" 2 \
		"rackstrap: $command: missing argument RECIPE: a folder with recipe.cfg, a file, or the name of an installed recipe" \
		"$RACKSTRAP" $command
	refuse "$command: two recipes" 2 \
		"rackstrap: $command: unexpected argument 'images/bookworm-vm'" \
		"$RACKSTRAP" $command images/bookworm images/bookworm-vm
	refuse "$command: a mirror that is neither a URL nor a folder" 2 \
		"rackstrap: --mirror: must be PREFIX=REPLACEMENT, the replacement a URL or an absolute path, or the URL or folder of an exported cache, not 'nowhere'" \
		"$RACKSTRAP" $command images/bookworm --mirror nowhere
	refuse "$command: a wrong mirror in the environment" 2 \
		"rackstrap: RACKSTRAP_MIRROR: must be PREFIX=REPLACEMENT, the replacement a URL or an absolute path, or the URL or folder of an exported cache, not 'b=c'" \
		env RACKSTRAP_MIRROR='http://a/=/srv b=c' "$RACKSTRAP" $command images/bookworm
done
# Mirrors that no input is fetched from.
printf 'version = 1;\ninputs = ( { url = "https://files.invalid/b"; size = "1"; sha256 = "%064d"; } );\n' 0 >"$WORK/good.lock"
mirror() { "$RACKSTRAP" build --dry-run test/should-fail/recipe/good --lock "$WORK/good.lock" --mirror "$1=$WORK" >/dev/null 2>"$WORK/said"; }
said() { test "$(cat "$WORK/said")" = "${1:+rackstrap: warning: --mirror: $1}"; }
mirror https://files.invalid/
check "a mirror that is used is no warning" said ''
mirror https://flies.invalid/
check "a mirror of a host with a typing mistake" \
	said "no input's URL begins with https://flies.invalid/ (did you mean https://files.invalid/?)"
mirror http://files.invalid/
check "a mirror of another scheme" \
	said "no input's URL begins with http://files.invalid/ (did you mean https://files.invalid/?)"
check "a used and an unused mirror" "$RACKSTRAP" build --dry-run test/should-fail/recipe/good --lock "$WORK/good.lock" \
	--mirror "https://files.invalid/=$WORK" --mirror "https://files.invalid/c=$WORK"
check "one of them is a warning" test "$(grep -c 'warning: --mirror: ' "$WORK/err")" = 1
check "a mirror of the environment is no warning" env RACKSTRAP_MIRROR="https://other.invalid/=$WORK" \
	"$RACKSTRAP" build --dry-run test/should-fail/recipe/good --lock "$WORK/good.lock"
check "of the environment nothing is said" test ! -s "$WORK/err"

refuse "build: offline and refresh" 2 \
	"rackstrap: build: options '--offline' and '--refresh' exclude each other: a new base needs the network" \
	"$RACKSTRAP" build images/bookworm --offline --refresh

refuse "build: an unknown image type" 2 \
	"rackstrap: build: option '--type' must be pxe, disk or iso, not 'vmdk'" \
	"$RACKSTRAP" build images/bookworm --type vmdk
refuse "lock: the former name of --output" 2 "rackstrap: lock: option '--lock' is now '--output'" \
	"$RACKSTRAP" lock images/bookworm --lock x
refuse "build: the former name of --type" 2 "rackstrap: build: option '--image' is now '--type'" \
	"$RACKSTRAP" build images/bookworm --image disk
refuse "build: a wrong sector size" 2 \
	"rackstrap: build: option '--sector-size' must be 512 or 4096, not '520'" \
	"$RACKSTRAP" build images/bookworm --type disk --sector-size 520
refuse "build: an unknown format" 2 \
	"rackstrap: build: option '--format' must be raw, qcow2 or zst, not 'vmdk'" \
	"$RACKSTRAP" build images/bookworm --type disk --format vmdk
refuse "build: for a host and for a rack" 2 \
	"rackstrap: build: options '--host' and '--rack' exclude each other: a disk or ISO is for one host or for a rack" \
	"$RACKSTRAP" build images/bookworm --type disk --host a.cfg --rack b.cfg
refuse "build: for a host that does not exist" 1 \
	"rackstrap: /nonexistent.cfg: cannot be read: No such file or directory" \
	"$RACKSTRAP" build images/bookworm --type disk --host /nonexistent.cfg
refuse "build: for a host that is wrong" 3 \
	"rackstrap: test/should-fail/recipe/media-host.host:3: unknown key 'gatewax' (did you mean 'gateway'?)" \
	"$RACKSTRAP" build images/bookworm --type disk --host test/should-fail/recipe/media-host.host
# A warning, not a mistake. Without stand-ins, the recipe has its own one.
"$RACKSTRAP" build images/bookworm --type disk --rack configs/demo.cfg --dry-run >/dev/null 2>"$WORK/said"
check "build: a rack without ssh keys is a warning" grep -qxF \
	'rackstrap: warning: configs/demo.cfg: no host has ssh_keys: nobody will be able to log in' "$WORK/said"
"$RACKSTRAP" build images/bookworm --type pxe --rack configs/demo.cfg --dry-run >/dev/null 2>"$WORK/said"
check "build: it is none without a disk or ISO" sh -c "! grep -q 'log in' '$WORK/said'"

# Mistakes that only a lock shows.
recipe=test/should-fail/recipe/good/recipe.cfg
sum() { printf "$1%.0s" $(seq 64); }
lock() { # URL SIZE SHA256
	cat >"$WORK/recipe.lock" <<-L
		version = 1;
		inputs = (
			{ url = "$1"; size = "$2"; sha256 = "$3"; }
		);
	L
}
build() { "$RACKSTRAP" build "$recipe" "$@" --cache "$WORK/cache" --output "$WORK/image" --lock "$WORK/recipe.lock"; }
printf 'version = 1;\ninputs = ( );\n' >"$WORK/recipe.lock"
refuse "an artifact without a digest in the recipe or the lock" 3 \
	"rackstrap: $recipe:14: artifact 'b': no digest: give it sha256 or sha512, or run \`rackstrap lock $recipe\`" build
mkdir "$WORK/container"
printf '%s\n' 'version = 1;' "include = \"$TOP/$recipe\";" 'name = "c";' 'summary = "c";' \
	'containers = ( { image = "q/w:1"; url = "https://files.invalid/w.tar"; } );' >"$WORK/container/recipe.cfg"
refuse "a container without a digest in the recipe or the lock" 3 \
	"rackstrap: $TOP/$recipe:14: artifact 'b', container q/w:1: no digest: give each sha256 or sha512, or run \`rackstrap lock $WORK/container/recipe.cfg\`" \
	"$RACKSTRAP" build "$WORK/container" --cache "$WORK/cache" --output "$WORK/image" --lock "$WORK/recipe.lock"
lock https://files.invalid/a 1 "$(sum 1)"
refuse "a lock that contradicts the recipe" 3 \
	"rackstrap: $recipe:14: artifact 'b': no digest:*" build
cp "$WORK/err" "$WORK/said"
check "the contradiction is reported on a line before" grep -qxF \
	"rackstrap: $recipe:12: artifact 'a': sha256 is $(sum 0) in the recipe, but $(sum 1) in the lock ($WORK/recipe.lock:3): run \`rackstrap lock\` if the recipe is right" "$WORK/said"
lock https://files.invalid/b 1 "$(sum 1)"
refuse "a base that is not in the cache, offline" 1 \
	"rackstrap: the base of good is not in the cache, and --offline was given ($recipe:5)" build --offline
cp "$WORK/err" "$WORK/said"
check "the artifacts are reported on a line before" grep -qxF \
	"rackstrap: $recipe:12: artifact 'a' and 1 more are not in the cache, and --offline was given" "$WORK/said"
lock https://files.invalid/b 1K "$(sum 1)"
refuse "a size with a unit" 3 \
	"rackstrap: $WORK/recipe.lock:3: size: must be a number of bytes, not '1K'" build
lock https://files.invalid/b 1 abc
refuse "a short digest in the lock" 3 \
	"rackstrap: $WORK/recipe.lock:3: sha256: must be 64 lower-case hex digits" build
echo '@include "/etc/hostname"' >"$WORK/recipe.lock"
refuse "a lock that includes" 3 "rackstrap: $WORK/recipe.lock:1: *@include*" build
check "nothing was written" test ! -e "$WORK/image"
finish
