#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Racks that say many hosts in few lines: a rack of 12 in three ranges, one of them with a table,
# gives the boot tree of the same rack as it is written out by hand; `check --expand` and --explain.
. "$(dirname "$0")/../tap.sh"

# An image with these roles, and no more of it than `rackstrap pxe` reads.
mkdir "$WORK/image" "$WORK/ipxe" "$WORK/common"
for part in vmlinuz initrd.img root.squashfs; do echo $part >"$WORK/image/$part"; done
out() { printf '{"path":"%s","size":%d,"sha256":"%s"}' "$1" "$(stat -c %s "$WORK/image/$1")" "$(sha256sum <"$WORK/image/$1" | cut -c1-64)"; }
cat >"$WORK/image/manifest.json" <<END
{ "format": 1, "name": "web", "epoch": 0, "cmdline": "", "standins": [], "users": [], "groups": [],
  "passwd": [ { "name": "root", "id": 0 } ], "group": [ { "name": "root", "id": 0 } ],
  "roles": [ { "name": "node", "units": [ "nginx.service" ], "ready": [], "features": [ "cbr0" ] } ],
  "outputs": [ $(out vmlinuz), $(out initrd.img), $(out root.squashfs) ] }
END

cluster='cluster : { name = "twelve"; node_network = "172.25.0.0/16"; boot_server = "172.25.0.1"; gateway = "172.25.0.1";
	ssh_keys = [ ]; cmdline = "quiet"; vm : { memory = "1G"; }; };'

# --- the rack in few lines ------------------------------------------------------------
cat >"$WORK/few.cfg" <<END
$cluster
@include "common/profiles.cfg"
hosts = (
	{ name = "a-[08-11]"; role = "node"; mac = "52:54:00:25:01:[08-0b]"; address = "172.25.0.254";
	  cbr0 = "192.168.8.1/24"; profiles = [ "fast", "big" ]; search = [ "r[1-4].example", "example" ]; },
	{ name = "b[1,3]-[1-2]"; role = "node"; address = "172.25.[2-3].[1-2]"; cbr0 = "192.168.20.1/24"; mtu = 1400;
	  mac = [ "52:54:00:25:02:11", "52:54:00:25:02:12", "52:54:00:25:02:31", "52:54:00:25:02:32" ];
	  serial = ( "S 11", "S 12", "S 31", "S 32" ); },
	{ name = "c[1-4]"; role = "node"; hosts_file = "hosts.csv"; address = "172.25.4.1"; cbr0 = "192.168.30.1/24"; profiles = "big"; }
);
END
cat >"$WORK/common/profiles.cfg" <<'END'
profiles : {
	fast : { mtu = 9000; vm : { cpus = 4; }; };
	big : { vm : { cpus = 8; disk = "4G"; }; state_disk = "/dev/vdb"; };
};
END
printf '\xef\xbb\xbfname,mac,cbr0,dns,vm.cpus,uuid,profiles,cmdline\r\n%s\r\n%s\r\n"c3","52:54:00:25:03:03",,,,,,"a=""b"""\r\n\r\n%s\r\n' \
	'c2,52:54:00:25:03:02,,"172.25.0.1,172.25.0.2",2,,"fast,big",' \
	'c1,52:54:00:25:03:01,192.168.40.1/24,172.25.0.1,,4c4c4544-0051-3510-8052-b7c04f4e3232,,' \
	'c4,52:54:00:25:03:04,,,,,fast,' >"$WORK/hosts.csv"

# --- the same by hand -----------------------------------------------------------------
BIG='state_disk = "/dev/vdb"; vm : { cpus = 8; disk = "4G"; };'
{
	echo "$cluster hosts = ("
	while read -r name mac address cbr0 rest; do
		echo "{ name = \"$name\"; role = \"node\"; mac = \"52:54:00:25:0$mac\"; address = \"172.25.$address\"; cbr0 = \"192.168.$cbr0.1/24\"; $rest },"
	done <<-END
		a-08 1:08 0.254 8 mtu = 9000; search = [ "r1.example", "example" ]; $BIG
		a-09 1:09 0.255 9 mtu = 9000; search = [ "r2.example", "example" ]; $BIG
		a-10 1:0a 1.0 10 mtu = 9000; search = [ "r3.example", "example" ]; $BIG
		a-11 1:0b 1.1 11 mtu = 9000; search = [ "r4.example", "example" ]; $BIG
		b1-1 2:11 2.1 20 mtu = 1400; serial = "S 11";
		b1-2 2:12 2.2 21 mtu = 1400; serial = "S 12";
		b3-1 2:31 3.1 22 mtu = 1400; serial = "S 31";
		b3-2 2:32 3.2 23 mtu = 1400; serial = "S 32";
		c1 3:01 4.1 40 dns = [ "172.25.0.1" ]; uuid = "4c4c4544-0051-3510-8052-b7c04f4e3232"; $BIG
		c2 3:02 4.2 31 dns = [ "172.25.0.1", "172.25.0.2" ]; mtu = 9000; state_disk = "/dev/vdb"; vm : { cpus = 2; disk = "4G"; };
		c3 3:03 4.3 32 cmdline = "a=\"b\""; $BIG
	END
	echo '{ name = "c4"; role = "node"; mac = "52:54:00:25:03:04"; address = "172.25.4.4"; cbr0 = "192.168.33.1/24"; mtu = 9000; vm : { cpus = 4; }; } );'
} >"$WORK/hand.cfg"

# Makes the boot tree of a rack file, always with the same secret.
tree() { # NAME
	mkdir "$WORK/tree-$1" && printf '%064d\n' 0 >"$WORK/tree-$1/secret" && chmod 600 "$WORK/tree-$1/secret" &&
		cp "$WORK/first/tree.cfg" "$WORK/tree-$1/" &&
		"$RACKSTRAP" pxe "$WORK/$1.cfg" --image "$WORK/image" -o "$WORK/tree-$1"
}
check "the rack by hand is right" "$RACKSTRAP" check "$WORK/hand.cfg" --image "$WORK/image"
check "the rack in few lines is right" "$RACKSTRAP" check "$WORK/few.cfg" --image "$WORK/image"
cp "$WORK/out" "$WORK/said"
check "it has 12 hosts" grep -qx "$WORK/few.cfg: 12 hosts, ok" "$WORK/said"
"$RACKSTRAP" pxe "$WORK/hand.cfg" --image "$WORK/image" -o "$WORK/first" >"$WORK/out" 2>&1 || fail "pxe"
for rack in hand few; do check "pxe of $rack.cfg" tree $rack; done
check "both trees have the same bytes" diff -r "$WORK/tree-hand" "$WORK/tree-few"
check "the trees have hosts" test -e "$WORK/tree-few/http/hosts/52-54-00-25-03-04.ipxe"

# --- check --expand -------------------------------------------------------------------
check "--expand succeeds" "$RACKSTRAP" check "$WORK/few.cfg" --expand
cp "$WORK/out" "$WORK/flat.cfg"
check "it says what it is" grep -qxF "# $WORK/few.cfg, expanded by \`rackstrap check --expand\`." "$WORK/flat.cfg"
check "pxe of the expanded rack" tree flat
check "its tree has the same bytes" diff -r "$WORK/tree-hand" "$WORK/tree-flat"
check "--expand of it succeeds" "$RACKSTRAP" check "$WORK/flat.cfg" --expand
sed 1d "$WORK/out" >"$WORK/again.cfg"
check "nothing is left to be expanded" diff <(sed 1d "$WORK/flat.cfg") "$WORK/again.cfg"
(umask 077 && printf 'key' >"$WORK/common/key")
cat >"$WORK/common/secrets.cfg" <<'END'
secrets = ( { file = "key"; } );
END
sed "s|ssh_keys|\n@include \"common/secrets.cfg\"\nssh_keys|" "$WORK/few.cfg" >"$WORK/secret.cfg"
check "--expand of a rack with a secret in another folder" "$RACKSTRAP" check "$WORK/secret.cfg" --expand
cp "$WORK/out" "$WORK/flat-secret.cfg"
check "the secret's file is relative to the rack's folder" grep -qF 'file = "common/key";' "$WORK/flat-secret.cfg"
check "so that the expanded rack is right" "$RACKSTRAP" check "$WORK/flat-secret.cfg"
echo 'hosts = 1;' >"$WORK/wrong.cfg"
"$RACKSTRAP" check "$WORK/wrong.cfg" --expand >"$WORK/flat" 2>/dev/null
check "a wrong rack gives no expanded one" test ! -s "$WORK/flat"
for options in --expand "--explain a" --svg --json; do
	# shellcheck disable=SC2086 # two words
	refuse "$options of a rack that cannot be read" 1 "rackstrap: $WORK/none.cfg: cannot be read: No such file or directory" \
		"$RACKSTRAP" check "$WORK/none.cfg" $options
done
refuse "--expand takes one rack file" 2 "rackstrap: check: option '--expand' takes one rack file, not 2" \
	"$RACKSTRAP" check "$WORK/few.cfg" "$WORK/hand.cfg" --expand
refuse "--expand and --json" 2 \
	"rackstrap: check: options '--json' and '--expand' exclude each other: standard output has one of them" \
	"$RACKSTRAP" check "$WORK/few.cfg" --expand --json

# --- check --explain ------------------------------------------------------------------
check "--explain succeeds" "$RACKSTRAP" check "$WORK/few.cfg" --explain c2
sed "s|$WORK/||; s|  *#|  #|" "$WORK/out" >"$WORK/explained"
check "every value has its place" diff - "$WORK/explained" <<'END'
name = "c2";  # hosts.csv:2
role = "node";  # few.cfg:10
cluster = "twelve";  # few.cfg:1
mac = "52:54:00:25:03:02";  # hosts.csv:2
address = "172.25.4.2/16";  # few.cfg:10
gateway = "172.25.0.1";  # few.cfg:1
dns = [ "172.25.0.1", "172.25.0.2" ];  # hosts.csv:2
mtu = 9000;  # common/profiles.cfg:2 (profile 'fast')
node_network = "172.25.0.0/16";  # few.cfg:1
ssh_keys = [ ];  # few.cfg:2
pod_network = "192.168.0.0/16";  # default
cbr0 = "192.168.31.1/24";  # few.cfg:10
cmdline = "quiet";  # few.cfg:2
state_disk = "/dev/vdb";  # common/profiles.cfg:3 (profile 'big')
vm.memory = "1G";  # few.cfg:2
vm.cpus = 2;  # hosts.csv:2
vm.disk = "4G";  # common/profiles.cfg:3 (profile 'big')
END
sed 's/^@include.*/profiles : { thin : { mtu = 1400; vm : { cpus = 2; }; }; fast : { mtu = 9000; }; big : { vm : { cpus = 8; }; }; };/' \
	"$WORK/few.cfg" >"$WORK/one-line.cfg"
check "--explain with profiles on one line" "$RACKSTRAP" check "$WORK/one-line.cfg" --explain a-08
cp "$WORK/out" "$WORK/explained"
check "names the profile of a value" grep -q "^mtu = 9000; .*(profile 'fast')" "$WORK/explained"
check "also of a value of vm" grep -q "^vm.cpus = 8; .*(profile 'big')" "$WORK/explained"
check "--explain of a MAC address is of its host" sh -c "
	mac=\$('$RACKSTRAP' check '$WORK/few.cfg' --explain a-08 | sed -n 's/^mac = \"\([^\"]*\)\".*/\1/p')
	'$RACKSTRAP' check '$WORK/few.cfg' --explain \$(echo \$mac | tr 'a-f:' 'A-F-') | grep -q '^name = \"a-08\"'"
refuse "--explain of a host that is not there" 2 \
	"rackstrap: check: option '--explain': $WORK/few.cfg has no host 'c5'" \
	"$RACKSTRAP" check "$WORK/few.cfg" --explain c5
refuse "--explain of a misspelt host" 2 \
	"rackstrap: check: option '--explain': $WORK/few.cfg has no host 'a08' (did you mean 'a-08'?)" \
	"$RACKSTRAP" check "$WORK/few.cfg" --explain a08

# --- tables that are hard to read -----------------------------------------------------
{ printf 'name,mac,console\nc1,52:54:00:25:03:01,"' && head -c 1048576 /dev/zero | tr '\0' x && printf '"\n'; } >"$WORK/long.csv"
printf '%s hosts = ( { hosts_file = "long.csv"; role = "node"; address = "172.25.4.1"; cbr0 = "192.168.1.1/24"; } );\n' "$cluster" >"$WORK/long.cfg"
refuse "a cell of 1 MiB" 3 "rackstrap: 1 mistake in 1 file" "$RACKSTRAP" check "$WORK/long.cfg"
cp "$WORK/err" "$WORK/said"
check "the message has its line" grep -q "^rackstrap: $WORK/long.csv:2: .*console" "$WORK/said"
check "the message is short" test "$(wc -c <"$WORK/said")" -lt 3000
mkfifo "$WORK/pipe.csv"
sed 's/long.csv/pipe.csv/' "$WORK/long.cfg" >"$WORK/pipe.cfg"
refuse "a table that is a pipe" 1 "rackstrap: $WORK/pipe.cfg:2: hosts_file: $WORK/pipe.csv cannot be read: is not a regular file" \
	"$RACKSTRAP" check "$WORK/pipe.cfg"

finish
