#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Files with as many entries as fit into them. Each command takes a second or two of the processor;
# code that compares each entry with all others would take minutes and is killed after one, whatever
# else this machine does meanwhile.
. "$(dirname "$0")/../tap.sh"
unset RACKSTRAP_MIRROR SOURCE_DATE_EPOCH
export RACKSTRAP_CACHE=$WORK/cache

# Writes FILE, of a KIND, with N entries.
cat >"$WORK/make.py" <<'P'
import json, sys
kind, n, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
HEAD = 'version = 1; name = "r"; images = [ "pxe" ]; base = { type = "suite"; suite = "s"; components = [ "c" ]; kernel = "k"; mirror = "http://m/"; };\n'
SUM = "0" * 64
def each(pattern, between=","):
    return between.join(pattern.replace("#", str(i)) for i in range(n))
def outputs():
    return [{"path": p, "size": 1, "sha256": SUM} for p in ("vmlinuz", "initrd.img", "root.squashfs")]
texts = {
    "keys": lambda: HEAD + each("k#=1;", ""),
    "members": lambda: HEAD + 'artifacts=({name="a";url="http://h/";extract=(' + each('{path="#";to="/#";mode="0755";}') + ");});",
    "containers": lambda: HEAD + "containers=(" + each('{image="a:#";}') + ");",
    "enable": lambda: HEAD + "enable=[" + each('"#.service"') + "];",
    "images": lambda: HEAD.replace('"pxe"', each('"pxe"', ",")),
    "list": lambda: 'cluster={name="c";ssh_keys=[' + each('"a"') + '];};hosts=({name="a";},{name="b";});',
    "names": lambda: json.dumps({"format": 1, "name": "x", "cmdline": "", "epoch": 1, "roles": [], "files": [],
                                 "standins": [str(i) for i in range(n)], "outputs": outputs()}),
}
open(path, "w").write(texts[kind]())
P
# Usage: soon WHAT STATUS KIND N FILE COMMAND...
soon() {
	local what=$1 want=$2 rc=0
	python3 "$WORK/make.py" "$3" "$4" "$5" || bail "no $5"
	shift 5
	(ulimit -t 60 && exec "$@") >"$WORK/said" 2>&1 || rc=$?
	check "$what" sh -c "[ $rc = $want ] || { echo exit status $rc; head -c 2000 '$WORK/said'; exit 1; }"
}
mkdir "$WORK/recipe" "$WORK/image"
recipe=$WORK/recipe/recipe.cfg
dry() { soon "a recipe with $1" "$2" "$3" "$4" "$recipe" "$RACKSTRAP" build "$recipe" --dry-run; }
dry "more keys than a group may have" 3 keys 100000
check "the message says so" grep -q 'more than 1000 settings in a group' "$WORK/said"
dry "many members of an archive" 3 members 80000
dry "many containers" 3 containers 90000
dry "many units" 0 enable 180000
dry "many images" 3 images 450000
soon "a list that is too long" 3 list 300000 "$WORK/rack.cfg" "$RACKSTRAP" check "$WORK/rack.cfg"
check "the message says so" grep -q 'ssh_keys: 300000 entries, at most 256 are allowed' "$WORK/said"
for f in vmlinuz initrd.img root.squashfs; do printf x >"$WORK/image/$f"; done
soon "a manifest with many names" 3 names 480000 "$WORK/image/manifest.json" "$RACKSTRAP" check configs/demo.cfg --image "$WORK/image"
check "it was read" grep -q 'the image has no role "node"' "$WORK/said"
finish
