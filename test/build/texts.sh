#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Names from an image, a recipe, a rack file, a cache, reports and a file name that try to clear the
# screen, to reverse the text and to print a line of their own: no command prints them as they are.
. "$(dirname "$0")/../tap.sh"
unset RACKSTRAP_MIRROR SOURCE_DATE_EPOCH
export RACKSTRAP_CACHE=$WORK/cache
FIRSTBOOT=$ABS_O/firstboot

# ESC [ in three ways, DEL, a right-to-left override, a zero-width space, and a forged line.
BAD=$(printf 'x\033[2J\302\2332J\177\342\200\256\342\200\213\nslot b (boots): GOOD\ny')
# The same for a file that must be UTF-8 without controls in it, as a JSON or libconfig string.
JSON='x\u001b[2J\u009b2J\u007f\u202e\u200b\nslot b (boots): GOOD\ny'

# Succeeds if the last command printed nothing that a terminal obeys, and no forged line.
cat >"$WORK/harmless.py" <<'P'
import sys, unicodedata
bad = 0
for path in sys.argv[1:]:
    for line in open(path, "rb").read().split(b"\n"):
        try:
            text = line.decode()
        except UnicodeDecodeError:
            print("not UTF-8:", line)
            bad = 1
            continue
        wrong = [hex(ord(c)) for c in text if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") and c != "\t"]
        if wrong or text.startswith(("slot b (boots)", "rackstrap: slot b", "firstboot: slot b")):
            print("printed:", ascii(text), *wrong)
            bad = 1
sys.exit(bad)
P
# Runs a command that prints the hostile name, and checks what it prints. Usage: shows WHAT STATUS COMMAND...
shows() {
	local what=$1 want=$2 rc=0
	shift 2
	"$@" >"$WORK/said" 2>"$WORK/complaints" </dev/null || rc=$?
	check "$what: exit $want" sh -c "[ $rc = $want ] || { cat '$WORK/complaints'; exit 1; }"
	check "$what: the output is harmless" python3 "$WORK/harmless.py" "$WORK/said" "$WORK/complaints"
	check "$what: the name is in it" grep -q 'GOOD' "$WORK/said" "$WORK/complaints"
}

# --- an image -------------------------------------------------------------------------------------
sums=$(printf x | sha256sum | cut -c1-64)
mkdir -p "$WORK/medium/rackstrap/a"
cat >"$WORK/medium/rackstrap/a/manifest.json" <<END
{ "format": 1, "name": "$JSON", "cmdline": "", "epoch": 1, "standins": [ "$JSON" ],
  "roles": [ { "name": "master", "units": [], "ready": [], "features": [ "kubernetes-master", "nat" ] },
    { "name": "node", "units": [], "ready": [], "features": [ "kubernetes", "cbr0", "nat" ] } ],
  "outputs": [ { "path": "vmlinuz", "size": 1, "sha256": "$sums" }, { "path": "initrd.img", "size": 1, "sha256": "$sums" },
    { "path": "root.squashfs", "size": 1, "sha256": "$sums" } ], "files": [] }
END
echo x >"$WORK/medium/rackstrap/a/vmlinuz"
printf 'cluster = { name = "%s"; boot_server = "%s"; master = "%s"; };\nhosts = ( { name = "%s"; role = "%s"; mac = "%s"; } );\n' \
	"$BAD" "$BAD" "$BAD" "$BAD" "$BAD" "$BAD" >"$WORK/rack.cfg"
cp "$WORK/rack.cfg" "$WORK/medium/rackstrap/rack.cfg"
disk=$WORK/disk.img
truncate -s 8M "$disk"
sfdisk -q "$disk" <<'END'
label: gpt
start=2048, size=2048, name="x"
start=4096, size=8192, name="rackstrap-boot"
END
sgdisk -c "1:$(printf 'x\302\2332J\342\200\256GOOD')" "$disk" >/dev/null 2>&1
mkfs.vfat -F12 -nRACKSTRAP --offset=4096 "$disk" 4096 >/dev/null 2>&1
mcopy -s -i "$disk@@2M" "$WORK/medium"/* ::/
shows "inspect of a manifest and a rack.cfg" 0 "$RACKSTRAP" inspect "$disk"
cp "$WORK/said" "$WORK/inspect.out"
shows "inspect --json" 0 "$RACKSTRAP" inspect "$disk" --json
check "inspect --json keeps the name" python3 - "$WORK/said" "$WORK/medium/rackstrap/a/manifest.json" <<'P'
import json, sys
said, manifest = (json.load(open(path)) for path in sys.argv[1:])
slot = said["slots"][0]
sys.exit(slot["image"] != manifest["name"] or slot["standins"] != manifest["standins"])
P
mkdir "$WORK/image"
cp "$WORK/medium/rackstrap/a/manifest.json" "$WORK/image"
for f in vmlinuz initrd.img root.squashfs; do printf x >"$WORK/image/$f"; done

# --- texts that are checked -------------------------------------------------------------------------
shows "check of a rack file" 3 "$RACKSTRAP" check "$WORK/rack.cfg"
cp "$WORK/rack.cfg" "$WORK/$BAD.cfg"
shows "check of a file of that name" 3 "$RACKSTRAP" check "$WORK/$BAD.cfg"
cp configs/demo.cfg "$WORK/$BAD.cfg"
shows "check of a good file of that name" 0 "$RACKSTRAP" check "$WORK/$BAD.cfg"
shows "pxe with that image" 3 "$RACKSTRAP" pxe configs/demo.cfg --image "$WORK/image" --output "$WORK/$BAD"
cat >"$WORK/recipe.cfg" <<END
version = 1; name = "$BAD"; summary = "$BAD"; images = [ "$BAD" ];
base = { type = "suite"; suite = "$BAD"; components = [ "$BAD" ]; kernel = "$BAD"; mirror = "$BAD"; packages = [ "$BAD" ]; };
artifacts = ( { name = "$BAD"; url = "$BAD"; to = "$BAD"; mode = "$BAD"; } );
files = ( { to = "$BAD"; } ); units = [ "$BAD" ]; enable = [ "$BAD" ]; exclude = [ "$BAD" ];
END
shows "build of a recipe" 3 "$RACKSTRAP" build "$WORK/recipe.cfg" --dry-run
cat >"$WORK/recipe.cfg" <<END
version = 1; name = "r"; images = [ "pxe" ];
base = { type = "suite"; suite = "s"; components = [ "c" ]; kernel = "k"; mirror = "http://m/"; path_exclude = [ "/x" ]; };
exclude = [ "/$BAD" ];
END
shows "build --dry-run" 0 "$RACKSTRAP" build "$WORK/recipe.cfg" --dry-run
shows "an unknown option" 2 "$RACKSTRAP" build "--$BAD"
shows "an unknown command" 2 "$RACKSTRAP" "$BAD"
shows "a file that does not exist" 1 "$RACKSTRAP" inspect "$WORK/none $BAD"

# --- a cache, reports ---------------------------------------------------------------------------------
mkdir -p "$RACKSTRAP_CACHE/url" "$RACKSTRAP_CACHE/blobs/sha256"
printf x >"$WORK/x"
sum=$(sha256sum <"$WORK/x" | cut -c1-64)
cp "$WORK/x" "$RACKSTRAP_CACHE/blobs/sha256/$sum"
url="http://a/$(printf %s "$BAD" | tr '\n' ' ')"
note="$sum $url"
printf '%s\n%s\n' "$note" "$(echo "$note" | sha256sum | cut -c1-64)" >"$RACKSTRAP_CACHE/url/$(printf %s "$url" | sha256sum | cut -c1-64)"
shows "cache list" 0 "$RACKSTRAP" cache list
shows "cache list --json" 0 "$RACKSTRAP" cache list --json
shows "cache export" 0 "$RACKSTRAP" cache export "$WORK/export $BAD"
mkdir "$WORK/reports"
cat >"$WORK/reports/$BAD.json" <<END
{ "format": 1, "host": "$JSON", "role": "$JSON", "address": "$JSON", "cbr0": "$JSON", "verdict": "failed",
  "why": "$JSON", "generation": 1, "uptime_ms": 1, "phases": [], "units": [] }
END
shows "status" 1 "$RACKSTRAP" status "$WORK/reports"
shows "status --json" 1 "$RACKSTRAP" status "$WORK/reports" --json

# --- firstboot ------------------------------------------------------------------------------------------
root=$WORK/root
mkdir -p "$root/run/rackstrap" "$root/usr/lib/rackstrap"
printf 'name = "%s"; role = "%s"; dns = [ "%s" ]; environment = [ "%s" ];\n' "$BAD" "$BAD" "$BAD" "$BAD" >"$WORK/host.cfg"
shows "firstboot check" 3 "$FIRSTBOOT" check "$WORK/host.cfg"
cp "$WORK/host.cfg" "$root/run/rackstrap"
install_2015 "$root"
shows "firstboot explain" 3 "$FIRSTBOOT" explain --root "$root" --cmdline ''
shows "firstboot status" 0 "$FIRSTBOOT" status --root "$root" --cmdline ''
finish
