#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Folders with blanks in their names: sources are compiled in one, `make install` installs into
# one, the installed program finds its parts, and `make uninstall` removes everything. `make deb`
# passes on nothing that was set for the build.
. "$(dirname "$0")/../tap.sh"
unset MAKEFLAGS MAKELEVEL

mkdir "$WORK/some sources"
cp -r Makefile VERSION lib "$WORK/some sources"
check "a source is compiled in a folder with a blank" \
	make -s -C "$WORK/some sources" O=o o/obj/lib/str.o

to="$WORK/a root"
install() { make -s O="$ABS_O" "$@" DESTDIR="$to" prefix=/opt/rack; }
list() { (cd "$1" && find . -type f -o -type l | sort); }
check "make install succeeds" install install
bin="$to/opt/rack/bin/rackstrap"
share="$to/opt/rack/share"
check "the installed program runs" "$bin" --version
check "firstboot runs where host.cfg(5) says that one runs it" env PATH="${bin%/*}" firstboot check "$TOP/test/qemu/solo.cfg"
check "every man page is installed" sh -c \
	"ls man/*.[158] | wc -l | grep -qx \"\$(find '$share/man' -type f | wc -l)\""
check "the documents are installed" sh -c "for d in docs/*.md; do cmp \"\$d\" '$share/doc/rackstrap/'\"\${d##*/}\" || exit 1; done"
check "every man page ends with the version" test "$(for page in "$share"/man/man*/*; do
	mandoc -Tascii "$page" | tail -n 1 | grep -oE "^rackstrap $(cat VERSION) "
done | wc -l)" = "$(find man -type f | wc -l)"
check "every recipe and rack file is installed" sh -c \
	"find images configs -type f ! -name '*.key' | while read -r f; do
		cmp \"\$f\" '$share/rackstrap/'\"\$f\" || exit 1; done"
check "no secret is installed" sh -c "! find '$share/rackstrap' -name '*.key' | grep ."
for f in "$share"/rackstrap/configs/*.cfg; do
	recipe=()
	case ${f##*/} in
	plain.cfg) recipe=(--recipe plain) ;;
	slurm.cfg) continue ;; # test/should-fail/rack.sh
	esac
	check "${f##*/} passes the check" "$bin" check "$f" "${recipe[@]}"
done
mkdir "$WORK/here"
build() { (cd "$WORK/here" && "$bin" build "$share/rackstrap/images/bookworm-vm"); }
refuse "the installed rackstrap finds firstboot, and reports missing digests" 3 '*: no digest, and stand-ins that no server has: *' build
cp "$to/opt/rack/bin/firstboot" "$WORK/firstboot"
rm "$to/opt/rack/bin/firstboot"
refuse "a missing firstboot is reported" 3 'rackstrap: firstboot *: No such file or directory' build
cp "$WORK/firstboot" "$to/opt/rack/bin/firstboot"

# Installed recipes and rack files are found by name.
here() { (cd "$WORK/here" && "$bin" "$@"); }
refuse "build finds an installed recipe by its name" 3 '*/share/rackstrap/images/bookworm/recipe.cfg:*: no digest, and stand-ins that no server has: *' \
	here build bookworm-vm
cp "$WORK/err" "$WORK/said"
check "build says which recipe it is" grep -qxF "rackstrap: recipe 'bookworm-vm': $share/rackstrap/images/bookworm-vm" "$WORK/said"
refuse "fetch finds it, too" 3 '*/share/rackstrap/images/bookworm/recipe.cfg:*: no digest, and stand-ins that no server has: *' here fetch bookworm-vm
refuse "a name that is no recipe's is reported with the names there are" 1 \
	"rackstrap: recipe 'bookwrm' is neither in this folder nor installed (did you mean 'bookworm'?): the installed recipes are bookworm, bookworm-2015, bookworm-vm, plain, plain-vm, slurm, slurm-vm, vivid" \
	here lock bookwrm
check "check finds an installed rack file" here check demo
mkdir "$WORK/here/vivid" "$WORK/here/other"
check "a folder without recipe.cfg does not hide the installed recipe of its name" \
	sh -c 'cd "$1" && "$2" build vivid --dry-run 2>&1 | grep -qF "$3/images/vivid"' sh "$WORK/here" "$bin" "$share/rackstrap"
refuse "a folder without recipe.cfg is called that" 1 'rackstrap: other/recipe.cfg: cannot be read: *' here build other
echo 'version = 2;' >"$WORK/here/vivid/recipe.cfg"
refuse "a recipe here comes before an installed one" 3 'rackstrap: vivid/recipe.cfg: base: *' here build vivid
echo 'no lock' >"$WORK/here/bookworm-vm.lock"
refuse "the lock of an installed recipe is in this folder" 3 'rackstrap: bookworm-vm.lock:1: *' here build bookworm-vm
mkdir -p "$WORK/here/out/tiny" && echo '{}' >"$WORK/here/out/tiny/manifest.json"
refuse "an image that was built here is found by its name" 1 'rackstrap: image out/tiny: *' here check demo --image tiny
mkdir "$WORK/here/tiny"
refuse "a folder without an image does not hide it" 1 'rackstrap: image out/tiny: *' here check demo --image tiny
echo '{}' >"$WORK/here/tiny/manifest.json"
refuse "a folder with an image comes first" 1 'rackstrap: image tiny: *' here check demo --image tiny
rm -r "$WORK/here/out/tiny" "$WORK/here/tiny/manifest.json"
refuse "without any image both places are named" 1 \
	'rackstrap: image tiny: neither tiny nor out/tiny has a manifest.json: `rackstrap build` makes an image in out/' \
	here check demo --image tiny
cp "$share/rackstrap/configs/demo.cfg" "$WORK/here/tiny/rack.cfg"
for rack in tiny tiny/ ./tiny; do
	here check "$rack" >"$WORK/said" 2>/dev/null
	check "a folder stands for its rack.cfg: $rack" grep -q "^${rack%/}/rack.cfg: 3 hosts, ok" "$WORK/said"
done
refuse "a folder without rack.cfg is called that" 1 'rackstrap: other/rack.cfg: cannot be read: No such file or directory' here check other
mkdir "$WORK/here/demo"
check "it does not hide the installed rack file of its name" here check demo

touch "$to/opt/rack/bin/other" "$share/rackstrap/images/mine"
check "make uninstall succeeds" install uninstall
check "make uninstall leaves files that it did not install" test "$(list "$to" | tr '\n' ' ')" = \
	"./opt/rack/bin/other ./opt/rack/share/rackstrap/images/mine "
rm "$share/rackstrap/images/mine"
check "a second make uninstall succeeds" install uninstall
check "make uninstall leaves no folder of rackstrap's own" test "$(find "$to" -name '*rackstrap*' | wc -l)" = 0

place() { make -s O="$ABS_O" "$@" DESTDIR="$WORK/usr" prefix=/usr bindir=/usr/tools \
	datadir=/usr/data mandir=/usr/pages docdir=/usr/papers; }
check "make install with other folders succeeds" place install
check "make install uses these folders" sh -c "cd '$WORK/usr/usr' &&
	ls tools/rackstrap tools/firstboot data/rackstrap/configs/demo.cfg pages/man8/firstboot.8 papers/first-rack.md"
check "make install uses no other folder" test "$(find "$WORK/usr/usr" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | tr '\n' ' ')" = "data pages papers tools "
check "make uninstall with other folders succeeds" place uninstall
check "make uninstall with other folders leaves no file" test -z "$(list "$WORK/usr")"

for o in "$WORK/two words" ''; do
	refuse "O='$o' is refused" 2 "Makefile:*: \*\*\* O must be one word, not '$o'.  Stop." \
		make -s O="$o" clean
done

mkdir "$WORK/bin"
printf '#!/bin/sh\nenv >"%s"\n' "$WORK/environment" >"$WORK/bin/dpkg-buildpackage"
chmod +x "$WORK/bin/dpkg-buildpackage"
variables=(O DEV SAN COV CC DESTDIR prefix exec_prefix bindir datarootdir datadir mandir docdir completiondir)
check "make deb with every variable set" env PATH="$WORK/bin:$PATH" make -s deb "${variables[@]/%/=$WORK/set}"
check "make deb starts dpkg-buildpackage" test -s "$WORK/environment"
for v in "${variables[@]}"; do
	check "make deb does not pass on $v" sh -c "! grep '^$v=' '$WORK/environment'"
done
finish
