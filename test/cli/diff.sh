#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# rackstrap diff and pxe --dry-run: what is the same, each kind of change, each exit status. The texts
# are in test/golden/diff; GOLDEN_UPDATE=1 writes them again.
. "$(dirname "$0")/../tap.sh"
GOLDEN=test/golden/diff R=$WORK/r

# An image whose units and templates are known, and no more of it than rackstrap reads. Its
# manifest has the name and the kernel words of the arguments.
image() { # DIR NAME WORDS
	local part
	mkdir -p "$1"
	for part in vmlinuz initrd.img root.squashfs; do echo "$part $2" >"$1/$part"; done
	out() { printf '{"path":"%s","size":%d,"sha256":"%s"}' "$2" "$(stat -c %s "$1/$2")" "$(sha256sum <"$1/$2" | cut -c1-64)"; }
	cat >"$1/manifest.json" <<-END
	{ "format": 1, "name": "$2", "epoch": 0, "cmdline": "$3", "standins": [],
	  "users": [ "root" ], "groups": [ "root" ],
	  "roles": [ { "name": "node", "units": [ "docker.service", "kubelet.service" ], "ready": [],
	               "features": [ "kubernetes", "cbr0", "docker" ] },
	             { "name": "web", "units": [ "nginx.service", "own.service" ], "ready": [],
	               "features": [] } ],
	  "templates": [
	    { "path": "/etc/default/docker", "mode": "0644", "format": "environment", "roles": [ "node" ],
	      "text": "DOCKER_OPTS=\"{{#host.docker_options}} {{.}}{{/host.docker_options}}\"\\n" },
	    { "path": "/etc/peers", "mode": "0644", "format": "plain", "roles": [ "web" ],
	      "units": [ "nginx.service" ], "text": "{{#hosts}}\\n{{name}}{{#address}} {{address}}{{/address}}\\n{{/hosts}}\\n" } ],
	  "unit_files": [ { "unit": "docker.service", "files": [ "/etc/default/docker" ], "follows": [] },
	                  { "unit": "kubelet.service", "files": [], "follows": [ "docker.service" ] },
	                  { "unit": "nginx.service", "files": [], "follows": [] },
	                  { "unit": "own.service", "files": null, "follows": null } ],
	  "outputs": [ $(out "$1" vmlinuz), $(out "$1" initrd.img), $(out "$1" root.squashfs) ] }
	END
}
image "$WORK/image" tiny quiet
image "$WORK/newer" tiny2 quiet
image "$WORK/loud" tiny ""
sed '/"unit_files"/,/null/d' "$WORK/image/manifest.json" >"$WORK/text"
cp -r "$WORK/image" "$WORK/older"
cp "$WORK/text" "$WORK/older/manifest.json"
mkdir "$R"
cp $GOLDEN/rack.cfg "$R/old.cfg"
(umask 077 && echo "first bytes" >"$R/key" && echo "other bytes" >"$R/key2")
IMAGE=(--image "$WORK/image")

# Makes new.cfg of old.cfg.
edit() { sed "$@" "$R/old.cfg" >"$R/new.cfg"; }

# Compares the output of the last command with a golden file.
golden() { # NAME
	sed "s|$WORK/||g" "$WORK/out" >"$WORK/text"
	if [ -n "${GOLDEN_UPDATE:-}" ]; then
		cp "$WORK/text" "$GOLDEN/$1"
	fi
	check "the text is that of $1" diff -u "$GOLDEN/$1" "$WORK/text"
}
# Compares old.cfg with new.cfg, which must differ.
differ() { # NAME 'counts' ARGUMENT...
	local name=$1 counts=$2
	shift 2
	refuse "$name differs" 1 "rackstrap: $R/old.cfg and $R/new.cfg differ: $counts" \
		"$RACKSTRAP" diff "$R/old.cfg" "$R/new.cfg" "$@"
	golden "$name.txt"
}
# Succeeds when a command prints nothing.
silent() { "$@" >"$WORK/silent" && ! [ -s "$WORK/silent" ]; }

# --- the same ---------------------------------------------------------------------------
check "a rack is the same as itself" silent "$RACKSTRAP" diff "$R/old.cfg" "$R/old.cfg" "${IMAGE[@]}"
check "so it is without an image" silent "$RACKSTRAP" diff "$R/old.cfg" "$R/old.cfg"
cat >"$R/hosts.inc" <<END
{ name = "w-1"; role = "web"; address = "10.5.0.13/24"; mac = "02:00:00:05:00:03"; },
END
cat >"$R/new.cfg" <<END
/* The order of keys and hosts, comments, defaults and includes make no difference. */
hosts = (
	@include "hosts.inc"
	{ name = "n-2"; mac = "02-00-00-05-00-02"; role = "node"; address = "10.5.0.12/24";
	  cbr0 = "192.168.2.1/24"; vlan = 7; mtu = 0; search = [ ]; dns = [ "10.5.0.1" ]; },
	{ name = "n-1"; role = "node"; mac = "02:00:00:05:00:01"; address = "10.5.0.11";
	  cbr0 = "192.168.1.1/24"; docker_options = [ ]; cbr0_mtu = 0; } );
cluster : { name = "lab"; boot_server = "10.5.0.1"; pod_network = "192.168.0.0/16"; node_network = "10.5.0.0/24"; master = "10.5.0.2";
	dns = [ "10.5.0.1" ]; gateway = "10.5.0.1"; secrets = ( { file = "key"; } ); };
END
check "without an image it is the same in other words" silent "$RACKSTRAP" diff "$R/old.cfg" "$R/new.cfg"
refuse "with one, a role whose template has the hosts sees their order" 1 \
	"rackstrap: $R/old.cfg and $R/new.cfg differ: 0 appear, 0 vanish, 1 changes" \
	"$RACKSTRAP" diff "$R/old.cfg" "$R/new.cfg" "${IMAGE[@]}"
golden order.txt

# --- changes ----------------------------------------------------------------------------
edit 's/192\.168\.1\.1/192.168.101.1/'
differ cbr0 "0 appear, 0 vanish, 1 changes" "${IMAGE[@]}"
differ no-image "0 appear, 0 vanish, 1 changes"
edit 's/dns = .*/dns = [ "10.5.0.9" ];/'
differ dns "0 appear, 0 vanish, 3 change" "${IMAGE[@]}"
differ older-image "0 appear, 0 vanish, 3 change" --image "$WORK/older"
edit '/"w-1"/s/};*$/console = "ttyS0"; cmdline = "panic=60"; state_disk = "\/dev\/vda"; }/'
differ kernel "0 appear, 0 vanish, 1 changes" "${IMAGE[@]}"
edit '/"w-1"/s/};*$/serial = "A1"; vm : { memory = "4G"; }; }/'
differ machine "0 appear, 0 vanish, 1 changes" "${IMAGE[@]}"
differ machine-no-image "0 appear, 0 vanish, 1 changes"
# A tree has them, too: they decide which machine gets the host's files.
check "a tree of that rack is made" "$RACKSTRAP" pxe "$R/new.cfg" "${IMAGE[@]}" -o "$WORK/tree-serial"
check "it is the same as the rack" silent "$RACKSTRAP" diff "$WORK/tree-serial" "$R/new.cfg" "${IMAGE[@]}"
refuse "a serial number of a tree is compared" 1 "*0 appear, 0 vanish, 1 changes" \
	"$RACKSTRAP" pxe "$R/old.cfg" "${IMAGE[@]}" -o "$WORK/tree-serial" --dry-run
cp "$WORK/out" "$WORK/said"
check "it is shown" grep -q '^    serial: A1 -> ' "$WORK/said"
sed 's/"A1"/"a1"/' "$R/new.cfg" >"$R/lower.cfg"
check "upper or lower case of it does not count" silent "$RACKSTRAP" diff "$WORK/tree-serial" "$R/lower.cfg" "${IMAGE[@]}"
edit 's/boot_server = .*/& strangers : { pool = "10.5.0.200-10.5.0.209"; policy = "local-disk"; };/'
refuse "the pool of strangers of a tree is compared" 1 "*0 appear, 0 vanish, 1 changes, and the rack" \
	"$RACKSTRAP" diff "$WORK/tree-serial" "$R/new.cfg" "${IMAGE[@]}"
refuse "strangers are compared" 1 "*0 appear, 0 vanish, 0 change, and the rack" \
	"$RACKSTRAP" diff "$R/old.cfg" "$R/new.cfg"
cp "$WORK/out" "$WORK/said"
check "with their policy" grep -qx '    strangers.policy: ask -> local-disk' "$WORK/said"
edit 's/vlan = 7/vlan = 8/; s/05:00:03/05:00:33/'
differ vlan "0 appear, 0 vanish, 2 change" "${IMAGE[@]}"
edit 's/"w-1"/"web"/'
differ renamed "0 appear, 0 vanish, 1 changes" "${IMAGE[@]}"
edit 's/"n-2"/"n-3"/; s/05:00:02/05:00:22/; s/10\.5\.0\.12/10.5.0.22/'
differ members "1 appears, 1 vanishes, 1 changes" "${IMAGE[@]}"
edit '/"n-1"/s/role = "node"/role = "web"/; /192\.168\.1\.1/s/cbr0 = .*;/gateway = "10.5.0.1";/'
differ role "0 appear, 0 vanish, 2 change" "${IMAGE[@]}"
edit 's/name = "lab"/name = "lab2"/; s/boot_server = .*/boot_server = "10.5.0.3";/'
differ rack "0 appear, 0 vanish, 3 change, and the rack" "${IMAGE[@]}"
edit 's/file = "key"/file = "key2"; mode = "0440"/; /"w-1"/s/};*$/secrets = ( { name = "own"; file = "key"; } ); }/'
differ secrets "0 appear, 0 vanish, 3 change" "${IMAGE[@]}"
check "no byte of a secret is shown" sh -c "! grep -rE 'first bytes|other bytes\"' '$WORK/out' '$WORK/err'"
edit '/secrets/d'
differ no-secrets "0 appear, 0 vanish, 3 change" "${IMAGE[@]}"

# A change of many hosts is one paragraph, JSON has all of them.
many() { # DNS OPTIONS-OF-HOST
	sed '/^hosts/,$d; s/dns = .*/dns = [ "'"$1"'" ];/' "$R/old.cfg"
	echo 'hosts = ('
	for i in {1..40}; do
		echo "{ name = \"n-$i\"; role = \"node\"; mac = \"02:00:00:05:01:$(printf %02x "$i")\";" \
			"address = \"10.5.0.$((i + 10))\"; cbr0 = \"192.168.$i.1/24\"; $(eval "echo $2") },"
	done | sed '$s/,$//'
	echo ');'
}
many 10.5.0.1 "" >"$R/old.many"
many 10.5.0.9 "" >"$R/new.many"
refuse "many hosts change alike" 1 "rackstrap: $R/old.many and $R/new.many differ: 0 appear, 0 vanish, 40 change" \
	"$RACKSTRAP" diff "$R/old.many" "$R/new.many" "${IMAGE[@]}"
golden many.txt
many 10.5.0.1 "mtu = \$((1400 + i))\;" >"$R/new.many"
refuse "many hosts change, each with another value" 1 "rackstrap: *: 0 appear, 0 vanish, 40 change" \
	"$RACKSTRAP" diff "$R/old.many" "$R/new.many" "${IMAGE[@]}"
golden each.txt
refuse "JSON" 1 "rackstrap: *: 0 appear, 0 vanish, 40 change" \
	"$RACKSTRAP" diff "$R/old.many" "$R/new.many" "${IMAGE[@]}" --json
cp "$WORK/out" "$WORK/json"
check "JSON has every host with its values and the effect" python3 -c '
import json, sys
d = json.load(open(sys.argv[1]))
assert d["format"] == 1 and not d["same"] and d["old"]["kind"] == "rack" and d["old"]["image"] == "tiny"
assert [c["name"] for c in d["change"]] == [f"n-{i}" for i in range(1, 41)]
for i, c in enumerate(d["change"], 1401):
    assert c["values"] == [{"key": "mtu", "old": None, "new": str(i)}], c
    assert c["effect"]["kind"] == "restart" and c["effect"]["boot"] == []
    assert c["effect"]["restart"] == ["systemd-networkd.service", "rackstrap-report.service"]
' "$WORK/json"
many 10.5.0.1 "" | sed '/"n-[2-9]"/d' >"$R/new.many"
refuse "many hosts vanish" 1 "rackstrap: *: 0 appear, 8 vanish, 0 change" \
	"$RACKSTRAP" diff "$R/old.many" "$R/new.many" "${IMAGE[@]}"
golden vanish.txt

# --- trees ------------------------------------------------------------------------------
dry() { "$RACKSTRAP" pxe "$@" "${IMAGE[@]}" --dry-run; }
refuse "without a tree all hosts appear" 1 "rackstrap: $WORK/tree and $R/old.cfg differ: 3 appear, 0 vanish, 0 change" \
	dry "$R/old.cfg" -o "$WORK/tree"
golden appear.txt
check "a dry run writes nothing" test ! -e "$WORK/tree"
check "the tree is rendered" "$RACKSTRAP" pxe "$R/old.cfg" "${IMAGE[@]}" -o "$WORK/tree" --http-port 8080
cp -r "$WORK/tree" "$WORK/before"
check "a tree is the same as its rack" silent "$RACKSTRAP" diff "$WORK/tree" "$R/old.cfg" "${IMAGE[@]}"
check "and the rack as its tree" silent "$RACKSTRAP" diff "$R/old.cfg" "$WORK/tree" "${IMAGE[@]}"
check "two trees are the same" silent "$RACKSTRAP" diff "$WORK/tree" "$WORK/before"
check "a dry run with the same options shows nothing" silent dry "$R/old.cfg" -o "$WORK/tree" --http-port 8080
refuse "one without them shows the options" 1 "rackstrap: *: 0 appear, 0 vanish, 0 change, and the rack" \
	dry "$R/old.cfg" -o "$WORK/tree" --interface eth7
golden options.txt
edit '/boot_server/s/$/ dhcp_servers = [ "10.5.0.1", "10.5.0.2" ]; strangers : { policy = "local-disk"; pool = "10.5.0.200-10.5.0.209"; };/
	/"w-1"/s/};*$/serial = "A1"; }/'
refuse "one with Kea, strangers and a serial number shows them" 1 "rackstrap: *: 0 appear, 0 vanish, 1 changes, and the rack" \
	dry "$R/new.cfg" -o "$WORK/tree" --http-port 8080 --interface eth7 --dhcp kea
golden served.txt
check "that tree is rendered" "$RACKSTRAP" pxe "$R/new.cfg" "${IMAGE[@]}" -o "$WORK/kea" --http-port 8080 --interface eth7 --dhcp kea
check "it is the same as its rack" silent "$RACKSTRAP" diff "$WORK/kea" "$R/new.cfg" "${IMAGE[@]}"
check "and as itself with the same options" silent dry "$R/new.cfg" -o "$WORK/kea" --http-port 8080 --interface eth7 --dhcp kea
check "a pair makes no difference for dnsmasq" sh -c "sed 's/dhcp_servers = [^;]*;//' '$R/new.cfg' >'$R/single.cfg' &&
	'$RACKSTRAP' pxe '$R/single.cfg' --image '$WORK/image' -o '$WORK/single' &&
	'$RACKSTRAP' diff '$WORK/single' '$R/new.cfg' --image '$WORK/image'"
refuse "router advertisements are shown" 1 "rackstrap: *: 0 appear, 0 vanish, 0 change, and the rack" \
	dry "$R/old.cfg" -o "$WORK/tree" --http-port 8080 --interface eth7 --router-advert
golden advert.txt
edit '/secrets/d; s/192\.168\.1\.1/192.168.101.1/; /"w-1"/s/};*$/state_disk = "none"; }/'
refuse "a dry run with another image" 1 "rackstrap: *: 0 appear, 0 vanish, 3 change, and the rack" \
	"$RACKSTRAP" pxe "$R/new.cfg" --image "$WORK/newer" -o "$WORK/tree" --http-port 8080 --dry-run
golden image.txt
refuse "a dry run with other words of the image" 1 "rackstrap: *: 0 appear, 0 vanish, 0 change, and the rack" \
	"$RACKSTRAP" pxe "$R/old.cfg" --image "$WORK/loud" -o "$WORK/tree" --http-port 8080 --dry-run
golden image-words.txt
refuse "the tree and another rack" 1 "rackstrap: $WORK/tree and $R/new.cfg differ: 0 appear, 0 vanish, 3 change" \
	"$RACKSTRAP" diff "$WORK/tree" "$R/new.cfg" "${IMAGE[@]}"
golden tree.txt
refuse "without an image it says what it does not know" 1 "rackstrap: *: 0 appear, 0 vanish, 3 change" \
	"$RACKSTRAP" diff "$WORK/tree" "$R/new.cfg"
golden tree-no-image.txt
check "no dry run has changed the tree" diff -r "$WORK/tree" "$WORK/before"
sed -i '/^image_/d' "$WORK/before/tree.cfg"
refuse "a tree of an earlier rackstrap" 1 "rackstrap: *: 0 appear, 0 vanish, 3 change" \
	"$RACKSTRAP" diff "$WORK/before" "$R/new.cfg" "${IMAGE[@]}"
golden tree-before.txt
check "no output has a token" sh -c "! grep -r report_token '$WORK/out' '$WORK/json' $GOLDEN"

# --- exit statuses ----------------------------------------------------------------------
refuse "one argument is a usage mistake" 2 "rackstrap: diff: *" "$RACKSTRAP" diff "$R/old.cfg"
refuse "--json of pxe requires --dry-run" 2 "rackstrap: pxe: option '--json' requires '--dry-run'" \
	"$RACKSTRAP" pxe "$R/old.cfg" "${IMAGE[@]}" -o "$WORK/tree" --json
edit 's/cbr0/cbr1/'
refuse "a mistake in a rack" 3 "rackstrap: $R/new.cfg:*: host 'n-2': unknown key 'cbr1'*" \
	"$RACKSTRAP" diff "$R/old.cfg" "$R/new.cfg"
refuse "a dry run of it" 3 "rackstrap: $R/new.cfg:*" dry "$R/new.cfg" -o "$WORK/tree"
refuse "a file that is not there" 4 "rackstrap: $R/absent.cfg: *" "$RACKSTRAP" diff "$R/absent.cfg" "$R/old.cfg"
refuse "a folder that is no tree" 4 "rackstrap: *" "$RACKSTRAP" diff "$R" "$R/old.cfg"
refuse "an image that is not there" 4 "rackstrap: image $WORK/absent: no manifest.json: *" \
	"$RACKSTRAP" diff "$R/old.cfg" "$R/old.cfg" --image "$WORK/absent"
refuse "a dry run of it" 4 "rackstrap: image $WORK/absent: no manifest.json: *" \
	"$RACKSTRAP" pxe "$R/old.cfg" --image "$WORK/absent" -o "$WORK/tree" --dry-run
refuse "a dry run onto another folder" 4 "rackstrap: $R is not a boot tree *" dry "$R/old.cfg" -o "$R"
refuse "an image of neither tree" 4 "rackstrap: image $WORK/newer is neither that of $WORK/tree nor that of $WORK/tree: *" \
	"$RACKSTRAP" diff "$WORK/tree" "$WORK/tree" --image "$WORK/newer"
refuse "output that cannot be written" 4 "rackstrap: *: No space left on device" \
	sh -c "'$RACKSTRAP' diff '$R/old.many' '$R/new.many' >/dev/full"
cp -r "$WORK/tree" "$WORK/damaged"
cpio=$WORK/damaged/http/hosts/02-00-00-05-00-01.cpio
head -c 300 "$WORK/tree/http/hosts/02-00-00-05-00-01.cpio" >"$cpio"
refuse "a damaged archive" 4 "rackstrap: $cpio: *" "$RACKSTRAP" diff "$WORK/damaged" "$R/old.cfg" "${IMAGE[@]}"
rm "$cpio"
refuse "an archive that is not there" 4 "rackstrap: $cpio: No such file or directory" \
	"$RACKSTRAP" diff "$WORK/damaged" "$R/old.cfg" "${IMAGE[@]}"
finish
