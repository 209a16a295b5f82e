#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# From a rack file to a machine that boots and reports: the real `rackstrap pxe`, `serve` and
# `status`, and in place of the machine a DHCP client that asks as firmware and iPXE do, and curl.
# Runs in a network namespace, so that it takes no port or address of this machine.
if [ "${1:-}" != inside ]; then
	exec unshare --user --map-root-user --net "$0" inside
fi
. "$(dirname "$0")/../tap.sh"
. test/soon.sh
tap_cleanup() {
	local p
	for p in ${server:-} ${orphan:-} ${deaf:-}; do kill "$p" 2>/dev/null && kill -CONT "$p" 2>/dev/null; done
}

ip link set lo up
ip link add br0 type veth peer name cl0 || bail "no veth in this namespace"
ip address add 172.25.0.1/24 dev br0
ip link set br0 up
ip link set cl0 up

# A minimal image.
mkdir "$WORK/image"
echo kernel >"$WORK/image/vmlinuz"
echo initrd >"$WORK/image/initrd.img"
echo root >"$WORK/image/root.squashfs"
sum() { sha256sum <"$WORK/image/$1" | cut -c1-64; }
out() { printf '{"path":"%s","size":%d,"sha256":"%s"}' "$1" "$(stat -c %s "$WORK/image/$1")" "$(sum "$1")"; }
cat >"$WORK/image/manifest.json" <<EOF
{"format":1,"name":"tiny","summary":"","epoch":0,"cmdline":"","standins":[],
"roles":[{"name":"master","units":[],"ready":[],"features":["kubernetes-master","nat","calico","docker","network-environment"]},
{"name":"node","units":[],"ready":[],"features":["kubernetes","cbr0","nat","calico","docker","network-environment"]}],
"users":["root","munge"],"groups":["root","munge"],
"templates":[{"path":"/etc/list","mode":"0644","format":"plain","roles":["node"],"text":"{{#hosts}}{{name}} {{/hosts}}\\n"}],
"outputs":[$(out vmlinuz),$(out initrd.img),$(out root.squashfs)]}
EOF

# The exit status tells a machine that lacks something from a host that failed.
refuse "rack on a machine without QEMU and ssh" 4 \
	"rackstrap: ssh-keygen is not installed (Debian's package openssh-client)" \
	env PATH=/nonexistent "$RACKSTRAP" rack configs/demo.cfg --image "$WORK/image" --dir "$WORK/rack" --accel tcg
refuse "rack without user namespaces" 4 "*cannot create a user namespace*" \
	unshare --user --map-root-user sh -c 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"' sh \
	"$RACKSTRAP" rack configs/demo.cfg --image "$WORK/image" --dir "$WORK/rack" --accel tcg
refuse "a program for --run that is missing" 2 "rackstrap: rack: --run: ./absent: No such file or directory" \
	"$RACKSTRAP" rack configs/demo.cfg --image "$WORK/image" --dir "$WORK/rack" --accel tcg --run ./absent -- -x
ln -s nowhere "$WORK/dangling"
refuse "a rack's folder at a dangling link" 4 \
	"rackstrap: $WORK/dangling: is a link to nowhere, which does not exist: remove the link, or make that folder" \
	"$RACKSTRAP" rack configs/demo.cfg --image "$WORK/image" --dir "$WORK/dangling" --accel tcg
exec 8>"$WORK/rack/run/lock"
flock 8
refuse "a folder in which another rack runs" 4 \
	"rackstrap: $WORK/rack: another rack runs in this folder (name another with --dir)" \
	"$RACKSTRAP" rack configs/demo.cfg --image "$WORK/image" --dir "$WORK/rack" --accel tcg
exec 8>&-
refuse "rack without an image" 4 "rackstrap: image $WORK/absent: no manifest.json: *" \
	"$RACKSTRAP" rack configs/demo.cfg --image "$WORK/absent" --dir "$WORK/rack"
refuse "rack with a wrong rack file" 3 "rackstrap: *" \
	"$RACKSTRAP" rack test/should-fail/rack/mac-text.cfg --image "$WORK/image" --dir "$WORK/rack" --accel tcg

# The servers run in the rack's namespaces; the machines are this program, which never ends.
mkdir "$WORK/bin"
printf '#!/bin/sh\ntrap "" TERM\n: >"%s/on"\nwhile :; do sleep 1; done\n' "$WORK" >"$WORK/bin/qemu-system-x86_64"
printf '#!/bin/sh\necho "cannot listen" >&2\nexit 1\n' >"$WORK/bin/nginx"
chmod +x "$WORK"/bin/*
refuse "a server that does not start" 4 "rackstrap: *nginx*" \
	env PATH="$WORK/bin:$PATH" "$RACKSTRAP" rack configs/demo.cfg --image "$WORK/image" --dir "$WORK/rack" --accel tcg
rm "$WORK/bin/nginx"
PATH=$WORK/bin:$PATH "$RACKSTRAP" rack configs/demo.cfg --image "$WORK/image" --dir "$WORK/rack" --accel tcg >"$WORK/said" 2>&1 &
server=$!
until [ -e "$WORK/on" ] || ! kill -0 $server; do sleep 0.02; done
check "a rack that runs has a key" test -s "$WORK/rack/run/ssh/key"
while kill -TERM $server; do sleep 0.1; done
wait $server
check "a second signal kills the rack" test $? = 130
check "it says so" grep -qx "rackstrap: the rack was killed by SIGKILL" "$WORK/said"
check "its key is removed" test ! -e "$WORK/rack/run/ssh"
server=
refuse "ssh into a rack that does not run" 4 \
	"rackstrap: $WORK/rack: no rack runs in it (rackstrap rack --keep keeps one running)" \
	"$RACKSTRAP" ssh "$WORK/rack" node-1
check "pxe makes a tree as rack does" "$RACKSTRAP" pxe configs/demo.cfg --image "$WORK/image" -o "$WORK/rack/tree" --interface br-rack
refuse "serve refuses the tree of a rack in virtual machines" 1 \
	'rackstrap: */rack/tree: is the tree of `rackstrap rack`, for its virtual machines: make one with `rackstrap pxe`' \
	"$RACKSTRAP" serve "$WORK/rack/tree"
refuse "status of a rack's folder" 1 "rackstrap: 3 of 3 hosts are not ready: *" "$RACKSTRAP" status "$WORK/rack"
refuse "status of a rack file" 1 "rackstrap: configs/demo.cfg is neither a boot tree nor a rack's folder nor a folder with reports" \
	"$RACKSTRAP" status configs/demo.cfg
refuse "ssh into another folder" 4 "rackstrap: $WORK/image is not the folder of a rack (rackstrap rack --dir)" \
	"$RACKSTRAP" ssh "$WORK/image" node-1 ls -l

# A path may have every character that has a meaning in a configuration, except these.
check "pxe makes a boot tree whose path has a dollar sign" \
	"$RACKSTRAP" pxe configs/demo.cfg --image "$WORK/image" -o "$WORK/a\$uri" --interface br0
refuse "serve refuses it before it starts anything" 1 \
	"rackstrap: $WORK/a\$uri: nginx does not support a dollar sign in a path: move the tree" timeout 300 "$RACKSTRAP" serve "$WORK/a\$uri"
mv "$WORK/a\$uri" "$WORK/a,b"
refuse "and a comma" 1 "rackstrap: $WORK/a,b: dnsmasq does not support a comma in a path: move the tree" \
	timeout 300 "$RACKSTRAP" serve "$WORK/a,b"
TREE=$WORK/'tree {a}; #"b"'
mkdir "$WORK/secrets"
secret=Fb3Qx9-bytes-of-a-key
sed 's/name = "node-1";/& secrets = ( { file = "munge.key"; owner = "munge"; } );/' configs/demo.cfg >"$WORK/secrets/rack.cfg"
(umask 077 && echo $secret >"$WORK/secrets/munge.key")
sed 's/"munge"/"mung"/' "$WORK/secrets/rack.cfg" >"$WORK/secrets/user.cfg"
for command in "pxe -o $WORK/no-tree" "rack --dir $WORK/no-rack --accel tcg"; do
	# shellcheck disable=SC2086 # a command and its options
	refuse "${command%% *} refuses a secret for a user that the image does not have" 3 \
		"rackstrap: $WORK/secrets/user.cfg:*: secrets: 'munge.key': the image has no user 'mung' (did you mean 'munge'[?])" \
		"$RACKSTRAP" $command "$WORK/secrets/user.cfg" --image "$WORK/image"
done
check "check accepts a user that it has" "$RACKSTRAP" check "$WORK/secrets/rack.cfg" --image "$WORK/image"
check "pxe makes a boot tree" "$RACKSTRAP" pxe "$WORK/secrets/rack.cfg" --image "$WORK/image" -o "$TREE" --interface br0
check "pxe does not print the bytes of a secret" sh -c "! cat '$WORK/out' '$WORK/err' | grep -qF $secret"
check "dnsmasq accepts dnsmasq.conf" dnsmasq --test --conf-file="$TREE/dnsmasq.conf"
check "nginx accepts nginx.conf" nginx -t -p "$TREE/" -c nginx.conf -e stderr -g 'user root;'

ip address add 10.40.0.2/22 dev br0
check "pxe makes the boot tree of a rack of forty" "$RACKSTRAP" pxe configs/rack40.cfg --image "$WORK/image" \
	-o "$WORK/tree 40" --interface br0
check "dnsmasq accepts its dnsmasq.conf" dnsmasq --test --conf-file="$WORK/tree 40/dnsmasq.conf"
check "nginx accepts its nginx.conf" nginx -t -p "$WORK/tree 40/" -c nginx.conf -e stderr -g 'user root;'

# Starts the server; succeeds when it is up.
serve() {
	: >"$WORK/serve.err" # else the text of an earlier one may still be there
	env --default-signal=INT "$RACKSTRAP" serve "$TREE" 2>"$WORK/serve.err" & # "&" ignores SIGINT
	server=$!
	for _ in $(seq 1000); do
		grep -q 'Ctrl-C ends it' "$WORK/serve.err" && return 0
		kill -0 "$server" 2>/dev/null || return 1
		sleep 0.1
	done
	return 1
}
check "serve starts" serve || { note <"$WORK/serve.err"; finish; }

# Checks that WANTED is a line of the offer. Usage: offer WHAT WANTED ARGS...
N1=52:54:00:25:00:11
offer() {
	local what=$1 want=$2
	shift 2
	python3 test/build/dhcp.py cl0 $N1 "$@" >"$WORK/offer"
	if grep -qxF "$want" "$WORK/offer"; then
		pass "$what"
	else
		fail "$what: wanted '$want'"
		note <"$WORK/offer"
	fi
}
offer "BIOS gets undionly.kpxe" "file undionly.kpxe" $N1 0
offer "UEFI (7) gets snponly.efi" "file snponly.efi" $N1 7
offer "UEFI (9) gets snponly.efi" "file snponly.efi" $N1 9
offer "iPXE gets its script" "file http://172.25.0.1/boot.ipxe" $N1 0 ipxe
offer "iPXE on UEFI gets its script" "file http://172.25.0.1/boot.ipxe" $N1 7 ipxe
offer "the answer to iPXE has the option not to wait for a proxy" "ipxe b00101ff" $N1 0 ipxe
offer "UEFI gets a URL for HTTP boot" "file http://172.25.0.1/snponly.efi" $N1 16 http
offer "UEFI gets the class of HTTP boot" "class HTTPClient" $N1 16 http
offer "the address is the host's" "address 172.25.0.11" $N1 0
offer "the files are on the boot server" "server 172.25.0.1" $N1 0
offer "the router is the gateway" "router 172.25.0.1" $N1 0
offer "a stranger gets nothing" "no offer" 52:54:00:25:00:99 0

# iPXE and the host fetch their files, from the host's address. Not before now: dnsmasq offers no
# address that this machine has.
for a in 10 11 12; do ip address add 172.25.0.$a/32 dev lo; done
url=http://172.25.0.1
from() { # HOST'S LAST NUMBER, CURL'S ARGUMENTS...
	local last=$1
	shift
	curl -fsS --interface 172.25.0."$last" "$@"
}
check "snponly.efi is served" sh -c "curl -fsS $url/snponly.efi | cmp - '$TREE/tftp/snponly.efi'"
check "boot.ipxe is served" from 11 -o "$WORK/boot.ipxe" $url/boot.ipxe
check "the host's script is served" from 11 -o "$WORK/host.ipxe" $url/hosts/52-54-00-25-00-11.ipxe
image=$(sed -n 's|^set image ${base}||p' "$WORK/host.ipxe")
for f in vmlinuz initrd.img root.cpio; do
	check "$f is served" from 11 -o "$WORK/$f" "$url$image/$f"
done
check "root.cpio holds the root image" sh -c \
	"cpio --quiet -i --to-stdout rackstrap/root.squashfs <$WORK/root.cpio | cmp - $WORK/image/root.squashfs"
check "host.cpio is served" from 11 -o "$WORK/host.cpio" $url/hosts/52-54-00-25-00-11.cpio
refuse "another host is refused that host.cpio" 22 "*403*" from 12 $url/hosts/52-54-00-25-00-11.cpio
refuse "so is the boot server itself" 22 "*403*" curl -fsS $url/hosts/52-54-00-25-00-11.cpio
check "it has node-1's secret" sh -c \
	"cpio --quiet -i --to-stdout rackstrap/secrets/munge.key <$WORK/host.cpio | grep -qx $secret"
check "no other file of the tree has it" test "$(cd "$TREE" && grep -rlF $secret .)" = ./http/hosts/52-54-00-25-00-11.cpio
check "serve does not print it" sh -c "! grep -F $secret '$WORK/serve.err'"
# The image's template loops over the rack's hosts, on nodes.
check "the rack's hosts are served to node-1" from 11 -o "$WORK/rack.cpio" $url/hosts/52-54-00-25-00-11.rack
check "they are those of the rack" test \
	"$(cpio --quiet -i --to-stdout rackstrap/hosts.cfg <"$WORK/rack.cpio" | grep -o 'name = "[a-z0-9-]*"' | tr '\n' ,)" = \
	'name = "master",name = "node-1",name = "node-2",'
check "the master's script has no such file" sh -c "! grep -F .rack '$TREE/http/hosts/52-54-00-25-00-10.ipxe'"
refuse "another host is refused node-1's" 22 "*403*" from 12 $url/hosts/52-54-00-25-00-11.rack
refuse "the boot server itself, too" 22 "*403*" curl -fsS $url/hosts/52-54-00-25-00-11.rack
refuse "the file that it is a link to is nobody's" 22 "*403*" from 11 $url/hosts/rack.cpio
check "node-2 gets its own host.cpio" from 12 -o "$WORK/other.cpio" $url/hosts/52-54-00-25-00-12.cpio
check "it has no secret" sh -c "! grep -qF -e $secret -e munge '$WORK/other.cpio'"
for name in secrets/munge.key rackstrap/secrets/munge.key munge.key hosts/munge.key; do
	refuse "no other file has it: $name" 22 "*404*" from 11 $url/$name
done
check "host.cfg is node-1's" sh -c \
	"cpio --quiet -i --to-stdout rackstrap/host.cfg <$WORK/host.cpio | grep -qx 'name = \"node-1\";'"

report() {
	printf '{"format":1,"host":"%s","role":"%s","verdict":"%s","why":%s,"generation":0,
"uptime_ms":31249,"phases":[{"name":"kernel","ms":4200}],"units":[]}' "$@"
}
put() { # LAST NUMBER, REPORT'S ARGUMENTS...
	local last=$1
	shift
	report "$@" | from "$last" -T - $url/report/"$1".json
}
token() { cpio --quiet -i --to-stdout rackstrap/host.cfg <"$WORK/host.cpio" | sed -n 's/^report_token = "\(.*\)";$/\1/p'; }
refuse "status fails before any report" 1 \
	'rackstrap: 3 of 3 hosts are not ready: master (no report), node-1 (no report), node-2 (no report)' \
	"$RACKSTRAP" status "$TREE"
check "reports are stored" put 11 node-1 node ready null
refuse "another host's report is refused" 22 "*403*" put 12 node-1 node failed null
check "with the token in its host.cfg a report comes from any address of the rack" \
	sh -c "echo '{' | curl -fsS --interface 172.25.0.12 -H 'X-Rackstrap-Token: $(token)' -T - $url/report/node-1.json"
put 11 node-1 node ready null
put 10 master master ready null && put 12 node-2 node failed '"docker.service failed"'
refuse "status fails when a host failed" 1 'rackstrap: 1 of 3 hosts is not ready: node-2 (failed)' \
	"$RACKSTRAP" status "$TREE"
cp "$WORK/out" "$WORK/table"
check "the table has the reason" grep -qx 'node-2: docker.service failed' "$WORK/table"
waits_for() { until_ok grep -qF -- "$1" "$WORK/serve.err"; } # what serve prints
check "serve reports it: node-2 (node): failed: docker.service failed" waits_for 'node-2 (node): failed: docker.service failed'
put 12 node-2 node ready null
check "status succeeds when all hosts are ready" "$RACKSTRAP" status "$TREE"
check "status --json has all hosts ready" sh -c "'$RACKSTRAP' status --json '$TREE' | python3 -c '
import json, sys
hosts = json.load(sys.stdin)[\"hosts\"]
assert [h[\"verdict\"] for h in hosts] == [\"ready\"] * 3'"

# The page is written soon after a change; any address may read it.
reads() { curl -fsS --interface 172.25.0.12 "$url/status/$1" | grep -qF -- "$2"; }
check "the status page says that all hosts are ready" until_ok reads "" '<strong>3</strong> of 3 hosts ready'
check "the server's root leads to it" sh -c "curl -fsSL --interface 172.25.0.12 $url/ | grep -qF 'hosts ready'"
check "the metrics say so" until_ok reads metrics 'rackstrap_hosts{state="ready"} 3'
check "status.json says so" until_ok reads status.json '"ready": 3'
refuse "a host cannot write the page" 22 "*405*" from 11 -T /dev/null $url/status/index.html

refuse "a second server is refused" 4 "rackstrap: port 80/tcp is taken by nginx (pid *), of a rackstrap serve that runs (pid *)" \
	"$RACKSTRAP" serve "$TREE"
for want in 'node-1: asks for its boot script (52:54:00:25:00:11, 172.25.0.11)' \
	'node-1: its files were refused to 172.25.0.12, because its address is 172.25.0.11' \
	"node-1: a report from 172.25.0.12 was refused: it has neither the host's address nor its token" \
	'52:54:00:25:00:99 asks for an address and is not in the rack' \
	'node-1 (node): ready in 31.2 s'; do
	check "serve reports: $want" until_ok grep -qxF "rackstrap: $want" "$WORK/serve.err"
done
kill -INT "$server"
wait "$server"
check "serve exits with 0 after SIGINT" test $? -eq 0
server=

# It reads a tree that is rendered again: node-3 is new.
check "serve starts again" serve
dnsmasq=$(pgrep -P "$server" -x dnsmasq)
for a in 10 11 12; do ip address del 172.25.0.$a/32 dev lo; done
offer "a machine that is not in the rack gets nothing" "no offer" 52:54:00:25:00:13 0
sed '$s|);|, { name = "node-3"; role = "node"; mac = "52:54:00:25:00:13"; address = "172.25.0.13"; cbr0 = "192.168.3.1/24"; } );|' \
	configs/demo.cfg >"$WORK/more.cfg"
check "a tree with a host more is rendered" "$RACKSTRAP" pxe "$WORK/more.cfg" --image "$WORK/image" -o "$TREE" --interface br0
check "serve reads it by itself" waits_for "reloaded: rack 'demo', 4 hosts, image 'tiny'"
check "dnsmasq goes on" test "$(pgrep -P "$server" -x dnsmasq)" = "$dnsmasq"
offer "the new host gets its address" "address 172.25.0.13" 52:54:00:25:00:13 0
ip link set cl0 address 52:54:00:25:00:13
check "it gets a lease" busybox udhcpc -i cl0 -n -q -f -s "$(command -v true)" -t 20 -T 1
check "of its address" grep -q 'DHCPACK(br0) 172.25.0.13 52:54:00:25:00:13' "$TREE/run/dnsmasq.log"

# node-3 is another machine, whose address the earlier one has a lease of.
sed 's/52:54:00:25:00:13/52:54:00:25:00:14/; s/52:54:00:25:00:12/52:54:00:25:00:21/' "$WORK/more.cfg" >"$WORK/other.cfg"
check "the tree is rendered again" "$RACKSTRAP" pxe "$WORK/other.cfg" --image "$WORK/image" -o "$TREE" --interface br0
reloaded() { is "$(grep -c "reloaded: rack 'demo', 4 hosts, image 'tiny'" "$WORK/serve.err")" "$1"; }
check "serve reads that, too" until_ok reloaded 2
check "the status page is that of the new tree" until_ok test "$TREE/http/status/index.html" -nt "$TREE/tree.cfg"
offer "an address goes over to another machine" "address 172.25.0.13" 52:54:00:25:00:14 0
offer "dnsmasq knows the new card" "address 172.25.0.12" 52:54:00:25:00:21 0
offer "dnsmasq has forgotten the old card" "no offer" 52:54:00:25:00:12 0
ip address add 172.25.0.12/32 dev lo
# nginx exchanges its workers some time after the signal.
check "nginx gives the host's file to the address" until_ok from 12 -o "$WORK/host.cpio" "$url/hosts/52-54-00-25-00-21.cpio"
check "serve reads the reports of the new tree" put 12 node-2 node failed '"reloaded"'
check "and prints them" waits_for "node-2 (node): failed: reloaded"
kill -HUP "$server"
check "SIGHUP makes it read the tree, too" until_ok reloaded 3
echo 'no-such-option' >>"$TREE/dnsmasq.conf"
kill -HUP "$server"
check "a tree that dnsmasq does not accept is not reloaded" waits_for "$TREE: not reloaded"
check "the message has dnsmasq's" grep -q '^rackstrap: dnsmasq exited with .*no-such-option\|bad option' "$WORK/serve.err"
ip address del 172.25.0.12/32 dev lo
offer "dnsmasq goes on as before" "address 172.25.0.12" 52:54:00:25:00:21 0
kill -INT "$server"
wait "$server"
check "serve exits with 0 after a reload and SIGINT" test $? -eq 0
server=
for a in 10 11 12; do ip address add 172.25.0.$a/32 dev lo; done
"$RACKSTRAP" pxe configs/demo.cfg --image "$WORK/image" -o "$TREE" --interface br0 >/dev/null 2>&1 || bail "no tree"

# The terminal of an ssh connection that ends sends SIGHUP, too.
check "serve ends with its terminal" python3 - "$RACKSTRAP" serve "$TREE" <<'P'
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
text = b""
while b"Ctrl-C ends it" not in text:
    text += os.read(fd, 1024)
os.close(fd)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
P
check "dnsmasq and nginx have ended" sh -c '! grep -q ":0043 \|:0045 " /proc/net/udp'

# Another server assigns addresses; a request of a machine outside the rack is still reported.
cp "$TREE/secret" "$WORK/secret"
check "pxe makes a boot tree for a network with a DHCP server" "$RACKSTRAP" pxe configs/demo.cfg \
	--image "$WORK/image" -o "$TREE" --interface br0 --proxy-dhcp
check "the secret is kept" cmp "$WORK/secret" "$TREE/secret"
check "only the owner and the servers can read secrets" test \
	"$(stat -c %a "$TREE/secret" "$TREE/nginx.conf" "$TREE/http/hosts" | tr '\n' ' ')" = "600 600 750 "
check "serve starts beside a DHCP server" serve
offer "a host is given no address" "address 0.0.0.0" $N1 0
check "a host gets a boot offer" \
	grep -q "^vendor .*$(printf rackstrap | od -An -tx1 | tr -d ' ')" "$WORK/offer"
offer "a stranger gets no boot offer" "no offer" 52:54:00:25:00:98 0
check "serve reports a machine outside the rack" until_ok grep -qxF \
	"rackstrap: 52:54:00:25:00:98 asks for an address and is not in the rack" "$WORK/serve.err"
kill -INT "$server"
wait "$server"
server=

# iPXE gets an answer, but no host takes the server for a router.
ip address add fd00:25::1/64 dev br0 nodad
check "pxe makes a boot tree with router advertisements" "$RACKSTRAP" pxe configs/demo.cfg \
	--image "$WORK/image" -o "$TREE" --interface br0 --router-advert
check "serve starts with router advertisements" serve
check "it is not advertised as a default router" sh -c \
	'said=$(python3 test/build/ra.py cl0); echo "$said" >&2; test "$said" = "router lifetime 0"'
kill -TERM "$server"
wait "$server"
server=

# A server that has not ended yet is in the way of the next serve.
dnsmasq --conf-file="$TREE/dnsmasq.conf" --enable-tftp --tftp-root="$TREE/tftp" --no-daemon 2>"$WORK/dnsmasq.err" &
orphan=$!
for _ in $(seq 1000); do grep -q 'started, version' "$WORK/dnsmasq.err" && break; sleep 0.1; done
check "serve starts after one that was killed" serve
ended() { ! kill -0 "$orphan"; }
check "the earlier dnsmasq has ended" until_ok ended
orphan=
check "it says that it ended the earlier dnsmasq" grep -qE \
	'^rackstrap: dnsmasq \(pid [0-9]+\), which an earlier serve of this tree had left, was ended$' "$WORK/serve.err"
refuse "a second server is told which serve has the port" 4 \
	"rackstrap: port 80/tcp is taken by nginx (pid *), of a rackstrap serve that runs (pid $server)" "$RACKSTRAP" serve "$TREE"
kill -TERM "$server"
wait "$server"
server=

# A second Ctrl-C does not wait for a server that does not end.
check "serve starts before two SIGINT" serve
deaf=$(pgrep -P "$server" -x dnsmasq)
kill -STOP "$deaf"
kill -INT "$server"
# SIGINT is blocked until the first one was read.
while blocked=$(sed -n 's/^SigBlk:[^0-9a-f]*//p' "/proc/$server/status" 2>/dev/null) && [ $((0x${blocked:-0} & 2)) != 0 ]; do sleep 0.02; done
kill -INT "$server"
wait "$server"
check "it exits with 130 after the second" test $? = 130
server=
check "it says so" test "$(tail -n 1 "$WORK/serve.err")" = "rackstrap: serve: interrupted"
check "the server that was stopped is killed" sh -c "! kill -0 $deaf"
deaf=

# Nothing outlives a serve that is killed (test/build/serve-kill.sh has other users).
check "serve starts before SIGKILL" serve
kill -KILL "$server"
wait "$server" 2>/dev/null
server=
ports_are_free() { ! grep -q ':0043 \|:0045 ' /proc/net/udp && ! grep -q '010019AC:0050 [^ ]* 0A' /proc/net/tcp; }
check "SIGKILL ends its servers, too" until_ok ports_are_free

# A copy of a tree without the large files.
mv "$TREE/http/images" "$WORK/images"
check "serve starts without the images" serve
check "it says that they are missing" grep -q "^rackstrap: warning: .*: image 'tiny' is not complete, http/images/[0-9a-f-]*/vmlinuz is missing: no host can boot it from here" "$WORK/serve.err"
check "it says nothing else about them" test "$(grep -c images "$WORK/serve.err")" = 1
kill -TERM "$server"
wait "$server"
server=
mv "$WORK/images" "$TREE/http/images"

# One server ends: the other is stopped.
check "serve starts after that" serve
for _ in $(seq 1000); do [ -s "$TREE/run/nginx.pid" ] && break; sleep 0.1; done
kill -KILL "$(cat "$TREE/run/nginx.pid")"
wait "$server"
check "serve exits with 1 when nginx has ended" test $? -eq 1
server=
check "serve reports which server has ended" grep -q '^rackstrap: nginx was killed by SIGKILL' "$WORK/serve.err"
check "nothing is left on port 69" sh -c '! grep -q ":0045 " /proc/net/udp'
finish
