#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A rack of web servers, with an image whose roles have no feature: check, pxe, status and firstboot
# accept it without a word of a feature, and refuse a key of one. test/golden has their texts.
. "$(dirname "$0")/../tap.sh"
RACK=test/golden/pxe/web.cfg FIRSTBOOT=$ABS_O/firstboot R=$WORK/root
WORDS='cbr0|calico|etcd|bgp|docker|kube|master|pod_network|service_network|pools|environment|nat'

# Succeeds when the file has no key of a feature and no word of one.
no_feature() { ! grep -iwE "$WORDS" "$1" && ! grep -iE 'cbr0|calico|docker|kube' "$1"; }

# Runs a check and keeps its output in $WORK/said, and what it printed on standard error.
said() { # NAME COMMAND...
	check "$@"
	cat "$WORK/out" "$WORK/err" >"$WORK/said"
}
refused() { # NAME STATUS 'last line' COMMAND...
	refuse "$@"
	cp "$WORK/err" "$WORK/said"
}

# An image with these roles, and no more of it than `rackstrap pxe` reads.
mkdir "$WORK/image" "$WORK/ipxe"
for part in vmlinuz initrd.img root.squashfs; do echo $part >"$WORK/image/$part"; done
out() { printf '{"path":"%s","size":%d,"sha256":"%s"}' "$1" "$(stat -c %s "$WORK/image/$1")" "$(sha256sum <"$WORK/image/$1" | cut -c1-64)"; }
cat >"$WORK/image/manifest.json" <<END
{ "format": 1, "name": "web", "epoch": 0, "cmdline": "", "standins": [],
  "roles": [ { "name": "web", "units": [ "nginx.service" ], "ready": [], "features": [] },
             { "name": "store", "units": [], "ready": [], "features": [] } ],
  "outputs": [ $(out vmlinuz), $(out initrd.img), $(out root.squashfs) ] }
END

# --- the operator's machine -----------------------------------------------------------
said "check with the image accepts the rack" "$RACKSTRAP" check $RACK --image "$WORK/image"
check "its line says so" grep -qx "$RACK: 3 hosts, ok" "$WORK/said"
said "check without an image accepts it, too" "$RACKSTRAP" check $RACK
check "that line says that no image was asked" \
	grep -qxF "$RACK: 3 hosts, ok (no image was asked: --image or --recipe checks roles and features)" "$WORK/said"
sed 's/10\.3\.0/192.168.0/; s/gateway = /node_network = "192.168.0.0\/24";\n\t&/' $RACK >"$WORK/home.cfg"
check "check without an image uses no default of a feature" "$RACKSTRAP" check "$WORK/home.cfg"
sed 's/gateway = /docker_options = [ "--debug" ];\n\t&/' $RACK >"$WORK/docker.cfg"
said "check without an image accepts the key of a feature" "$RACKSTRAP" check "$WORK/docker.cfg"
refused "check with the image refuses it" 3 "rackstrap: 1 mistake in 1 file" \
	"$RACKSTRAP" check "$WORK/docker.cfg" --image "$WORK/image"
check "the message names the image and the feature" grep -qF \
	"cluster: unknown key 'docker_options' for image 'web' (feature 'docker' has it)" "$WORK/said"
check "pxe makes a tree" "$RACKSTRAP" pxe $RACK --image "$WORK/image" -o "$WORK/tree"
check "tree.cfg has no word of a feature" no_feature "$WORK/tree/tree.cfg"
"$RACKSTRAP" status "$WORK/tree" >"$WORK/status" 2>/dev/null
check "the table of status has the hosts" grep -qE '^web-2 +web +10\.3\.0\.12 ' "$WORK/status"
check "the table of status has no word of a feature" no_feature "$WORK/status"
"$RACKSTRAP" status "$WORK/tree" --json >"$WORK/status" 2>/dev/null
check "its JSON has none" no_feature "$WORK/status"

sed 's/"store"/"web"/' $RACK >"$WORK/web.cfg"
check "a rack of such hosts needs no key of a feature that another role of the image has" \
	"$RACKSTRAP" check "$WORK/web.cfg" --recipe test/should-fail/mixed

# --- a web server ---------------------------------------------------------------------
mkdir -p "$R"/{run/rackstrap,usr/lib/rackstrap,sys/class/net/eth0/device}
(cd "$R/sys/class/net/eth0" && echo 52:54:00:26:00:11 >address && echo 1 >./type && echo 2 >ifindex)
echo 'roles = ( { name = "web"; units = [ "nginx.service" ]; }, { name = "store"; } );' >"$R/usr/lib/rackstrap/roles.cfg"
cpio -i --quiet --to-stdout rackstrap/host.cfg <"$WORK/tree/http/hosts/52-54-00-26-00-11.cpio" >"$R/run/rackstrap/host.cfg"
check "host.cfg has no word of a feature" no_feature "$R/run/rackstrap/host.cfg"
firstboot() { "$FIRSTBOOT" "$@" --root="$R" --cmdline=; }
said "explain succeeds" firstboot explain
check "explain prints its address" grep -q '^address = "10.3.0.11/24";' "$WORK/said"
check "explain has no word of a feature" no_feature "$WORK/said"
said "a dry run succeeds" firstboot apply --dry-run
check "its plan has the target of the role" grep -qx 'start rackstrap-web.target' "$WORK/said"
check "its plan has no word of a feature" no_feature "$WORK/said"
said "status succeeds" firstboot status
check "status has no word of a feature" no_feature "$WORK/said"
check "apply succeeds" firstboot apply
check "it leaves no word of a feature in /etc" sh -c "! grep -rilE 'cbr0|calico|docker|kube|etcd' '$R/etc'"
echo 'docker_options = [ "--debug" ];' >>"$R/run/rackstrap/host.cfg"
refused "a key of a feature is refused" 3 "firstboot: this host is not configured" firstboot apply
check "the message names the feature" grep -qF \
	"unknown key 'docker_options' for this image (feature 'docker' has it)" "$WORK/said"
rm "$R/usr/lib/rackstrap/roles.cfg"
refused "a root without roles is refused" 3 "firstboot: this host is not configured" firstboot apply
check "the message names the file" grep -qF "usr/lib/rackstrap/roles.cfg: cannot be read" "$WORK/said"
said "check of a file without an image accepts it" "$FIRSTBOOT" check "$R/run/rackstrap/host.cfg"
finish
