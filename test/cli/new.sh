#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# rackstrap new: what it writes is valid as it is, and it never touches what is there. And the
# examples of recipe.cfg(5), extracted from the page.
. "$(dirname "$0")/../tap.sh"
unset SOURCE_DATE_EPOCH RACKSTRAP_MIRROR
mkdir "$WORK/in"
cd "$WORK/in" || bail "no $WORK"
RACKSTRAP=$ABS_O/rackstrap
export RACKSTRAP_CACHE=$WORK/cache

"$RACKSTRAP" new a/mine >said 2>wrong
check "new succeeds" test $? = 0
check "new is silent on standard error" test ! -s wrong
check "new prints the next two commands" test "$(sed -n 's/^  //p' said)" = "rackstrap build a/mine
rackstrap rack a/mine/rack.cfg --image out/mine"
check "new writes two files and leaves nothing else" test "$(find a | sort | tr '\n' ' ')" = "a a/mine a/mine/rack.cfg a/mine/recipe.cfg " ||
	find a | note
"$RACKSTRAP" check a/mine/rack.cfg >said 2>wrong
check "check accepts the rack, with the roles of the recipe beside it" test "$(cat said)" = "a/mine/rack.cfg: 1 host, ok"
check "and warns only of what the user must fill in" test "$(cat wrong)" = \
	"rackstrap: warning: a/mine/rack.cfg: no host has ssh_keys: nobody will be able to log in"
"$RACKSTRAP" build --dry-run a/mine >plan 2>wrong
check "build has nothing to say about the recipe" test ! -s wrong
for line in "recipe mine" "unit rackstrap-firstboot.service of rackstrap" \
	"unit rackstrap-server.target of rackstrap" "enable systemd-networkd.service" "role server"; do
	check "the plan has '$line'" grep -qxF "$line" plan
done
# The starter is images/plain with the kernel of plain-vm, and configs/plain.cfg with one host.
settings() { sed -E 's/(^|[[:space:]])#.*//; /^[[:space:]]*$/d' "$1" | tr -d '\n\t '; }
sed 's/"plain"/"mine"/; s/linux-image-amd64/linux-image-cloud-amd64/' "$TOP/images/plain/recipe.cfg" >plain
check "the recipe has the settings of images/plain" test "$(settings a/mine/recipe.cfg)" = "$(settings plain)"
sed 's/"plain"/"mine"/; /server-2/d' "$TOP/configs/plain.cfg" |
	sed '/server-1/s/},$/}/' >plain
check "the rack has the settings and the first host of configs/plain.cfg" test "$(settings a/mine/rack.cfg)" = "$(settings plain)"
check "no key is taken from anywhere" test -z "$(grep -h '^[^#]*ssh_keys' a/mine/*)"

mkdir -p 'b c/Größe_2'
cd 'b c/Größe_2' || bail "no folder"
"$RACKSTRAP" new . >"$WORK/in/said"
check "new fills an empty folder" test -e recipe.cfg -a -e rack.cfg
check "and names image and cluster after it" test "$(grep -h '^	*name = "' recipe.cfg rack.cfg | tr -d '\t\n')" = 'name = "gr-e-2";name = "gr-e-2";'
cd "$WORK/in" || bail "no $WORK"
"$RACKSTRAP" new "b c/it's" >said
check "a folder's name is quoted for the shell" grep -qxF "  rackstrap build 'b c/it'\\''s'" said
cp -r a/mine before
refuse "a folder that is not empty" 1 "rackstrap: a/mine exists and is not empty: name a new folder" "$RACKSTRAP" new a/mine
check "it is as it was" diff -r before a/mine
touch file
refuse "a file" 1 "rackstrap: file exists and is not a folder: name another" "$RACKSTRAP" new file
refuse "a folder below a file" 1 "rackstrap: file/x: Not a directory" "$RACKSTRAP" new file/x
ln -s nowhere dangling
refuse "a link to nowhere" 1 \
	"rackstrap: dangling: is a link to nowhere, which does not exist: remove the link, or make that folder" "$RACKSTRAP" new dangling
check "the link is as it was" test "$(readlink dangling)" = nowhere -a ! -e nowhere
named() { # FOLDER NAME
	check "new: the folder '$1'" "$RACKSTRAP" new "$1"
	check "its image is '$2'" grep -qx "name = \"$2\";" "$1/recipe.cfg"
}
named '..my  Rack_1..' my-rack-1
named $'gr\303\266\303\237e' gr-e
named $'\303\251' rack
named "$(printf 'x%.0s' $(seq 39))-y" "$(printf 'x%.0s' $(seq 39))"
refuse "a name of two lines" 2 "rackstrap: new: the folder's name has a control character" "$RACKSTRAP" new $'a\nb'
refuse "no folder" 2 "rackstrap: new: missing argument DIR: the folder to make, or an empty one" "$RACKSTRAP" new

# --- the page -----------------------------------------------------------------------------
example() { # N: prints the N-th example of the page, as a terminal shows it
	sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/p' "$TOP/man/recipe.cfg.5" |
		awk -v n="$1" '/^\.Bd/ { i++; next } i == n { if (/^\.Ed/) exit; print }' |
		sed 's/\\e/\\/g'
}
mkdir small small-metal
example 1 >small/recipe.cfg
example 2 >small-metal/recipe.cfg
mkdir web
cp small/recipe.cfg web/first
sed '/^files = /d; /^roles = /d; s/"curl", /&"nginx-light", /' web/first >web/recipe.cfg
example 3 >>web/recipe.cfg
printf '[Service]\nExecStart=/usr/local/bin/tool\n' >small/tool.service
cp small/tool.service web/
for name in small small-metal web; do
	"$RACKSTRAP" build --dry-run $name >plan 2>wrong
	check "recipe.cfg(5): build has nothing to say about the example '$name'" test $? = 0 -a ! -s wrong || note <wrong
	check "recipe.cfg(5): '$name' has a role and its target" grep -qxF "unit rackstrap-node.target of rackstrap" plan
done
finish
