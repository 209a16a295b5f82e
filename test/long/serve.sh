#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# `rackstrap serve` as root starts it on a boot server, with the user nobody for both servers
# (test/build/serve.sh has a single user): who can read what in the tree, and what floods of
# connections, requests and DHCP do to the service and the logs. In a network namespace.
if [ "${1:-}" != inside ]; then
	[ "$(id -u)" = 0 ] && exec unshare --net "$0" inside
	exec unshare --user --map-root-user --map-auto --net "$0" inside
fi
. "$(dirname "$0")/../tap.sh"
. test/soon.sh
TREES=$(mktemp -d /srv/rackstrap-test.XXXXXX 2>/dev/null || mktemp -d /tmp/rackstrap-test.XXXXXX)
tap_cleanup() {
	local p
	for p in ${server:-}; do kill "$p" 2>/dev/null; done
	rm -rf "$TREES"
}
chmod 755 "$TREES"
TREE=$TREES/tree

ip link set lo up
ip link add br0 type veth peer name cl0 || bail "no veth in this namespace"
ip address add 172.25.0.1/24 dev br0
ip link set br0 up
ip link set cl0 up

mkdir "$WORK/image"
for f in vmlinuz initrd.img root.squashfs; do echo $f >"$WORK/image/$f"; done
out() {
	printf '{"path":"%s","size":%d,"sha256":"%s"}' "$1" "$(stat -c %s "$WORK/image/$1")" \
		"$(sha256sum <"$WORK/image/$1" | cut -c1-64)"
}
cat >"$WORK/image/manifest.json" <<EOF
{"format":1,"name":"tiny","summary":"","epoch":0,"cmdline":"","standins":[],
"roles":[{"name":"master","units":[],"ready":[],"features":["kubernetes-master","nat","calico","docker","network-environment"]},
{"name":"node","units":[],"ready":[],"features":["kubernetes","cbr0","nat","calico","docker","network-environment"]}],
"outputs":[$(out vmlinuz),$(out initrd.img),$(out root.squashfs)]}
EOF
pxe() { "$RACKSTRAP" pxe configs/demo.cfg --image "$WORK/image" -o "$TREE" --interface br0; }
check "pxe makes a boot tree" pxe
(umask 077 && cp -r "$TREE" "$TREES/copy")
chmod 755 "$TREES/copy"
refuse "a tree that was copied without its modes is refused" 4 \
	"rackstrap: user 'nobody', who is to serve, may not read $TREES/copy/http: copy the tree with the modes of its files (cp -a)*" \
	"$RACKSTRAP" serve "$TREES/copy" --user nobody
(umask 0 && mv "$TREE" "$TREES/was" && cp -r "$TREES/was" "$TREE" && chmod -R a+rwX "$TREE")
"$RACKSTRAP" serve "$TREE" --user nobody 2>"$WORK/serve.err" &
server=$!
for _ in $(seq 1000); do
	grep -q 'Ctrl-C ends it' "$WORK/serve.err" && break
	sleep 0.1
done
check "serve starts as nobody" grep -q 'as user nobody' "$WORK/serve.err"
for a in 10 11 12 99; do ip address add 172.25.0.$a/32 dev lo; done

url=http://172.25.0.1
from() { # HOST'S LAST NUMBER, CURL'S ARGUMENTS...
	local last=$1
	shift
	curl -fsS --max-time 20 -o "$WORK/body" --interface 172.25.0."$last" "$@"
}
of_node=$url/hosts/52-54-00-25-00-11
check "nginx reads the host's files" from 11 $of_node.cpio
check "nginx stores a report" sh -c "echo '{}' | curl -fsS --interface 172.25.0.11 -T - $url/report/node-1.json"
as() { setpriv --reuid="$1" --regid="$1" --clear-groups "${@:2}"; }
for f in secret nginx.conf http/hosts/52-54-00-25-00-11.cpio; do
	check "another user cannot read $f" sh -c "! setpriv --reuid=1 --regid=1 --clear-groups cat '$TREE/$f' 2>/dev/null"
done
check "another user can read the tree's description" as 1 test -r "$TREE/tree.cfg"
for f in secret nginx.conf; do
	check "the servers' user cannot read $f" sh -c "! setpriv --reuid=nobody --regid=nogroup --clear-groups cat '$TREE/$f' 2>/dev/null"
done
reloaded() { test "$(grep -c 'reloaded: rack' "$WORK/serve.err")" = "$1"; }
check "the tree is made again while it is served" pxe
check "serve reloads it" until_ok reloaded 1
check "nginx still reads the host's files" from 11 $of_node.cpio

# nginx's master process and a dnsmasq that has changed its user read another tree.
sed 's/52:54:00:25:00:12/52:54:00:25:00:21/' configs/demo.cfg >"$WORK/other.cfg"
check "another tree is made" "$RACKSTRAP" pxe "$WORK/other.cfg" --image "$WORK/image" -o "$TREE" --interface br0
check "serve reloads that" until_ok reloaded 2
check "nginx reads the new host's file" until_ok from 12 "$url/hosts/52-54-00-25-00-21.cpio"
check "nginx stores a report of the new tree" sh -c "echo '{}' | curl -fsS --interface 172.25.0.12 -T - $url/report/node-2.json"
check "the tree is made again as it was" pxe
check "serve reloads that, too" until_ok reloaded 3
check "nginx reads the old host's file again" until_ok from 12 "$url/hosts/52-54-00-25-00-12.cpio"

# The file of the dnsmasq before the reload would end the flood of dhcp.
rm -f "$TREE/run/dnsmasq.log.old"

# --- floods -------------------------------------------------------------------------

cat >"$WORK/flood.py" <<'P'
"""Usage: flood.py connections|requests|dhcp SECONDS FILE: prints "begun" when the flood is there.
The flood of dhcp ends when FILE exists."""
import os, resource, socket, struct, sys, time
what, end = sys.argv[1], time.time() + float(sys.argv[2])
limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))

def connect():
    s = socket.socket()
    s.bind(("172.25.0.99", 0))
    s.connect(("172.25.0.1", 80))
    return s

def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF

def discover(i):
    mac = b"\x02\0" + struct.pack("!I", i)
    bootp = struct.pack("!BBBBIHH", 1, 1, 6, 0, i, 0, 0x8000) + bytes(16) + mac
    bootp += bytes(10 + 192) + bytes([99, 130, 83, 99, 53, 1, 1, 255]) + bytes(60)
    udp = struct.pack("!HHHH", 68, 67, 8 + len(bootp), 0) + bootp
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, bytes(4), b"\xff" * 4)
    return b"\xff" * 6 + mac + b"\x08\0" + ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:] + udp

if what == "connections":
    held = []
    for _ in range(min(12000, limit - 100)):
        held.append(connect())
        held[-1].send(b"GET / HTTP/1.1\r\nHost: x\r\n")
    print("begun", flush=True)
    time.sleep(max(0, end - time.time()))
elif what == "requests":
    one, s, n = b"GET /hosts/52-54-00-25-00-%02x.ipxe HTTP/1.1\r\nHost: x\r\n\r\n", None, 0
    print("begun", flush=True)
    while time.time() < end:
        try:
            s = s or connect()
            s.sendall(one % (n % 256) * 20)
            n += 1
            s = s.recv(1 << 16) and s
        except OSError:
            s = None
else:
    raw, n = socket.socket(socket.AF_PACKET, socket.SOCK_RAW), 0
    raw.bind(("cl0", 0))
    print("begun", flush=True)
    while time.time() < end and not os.path.exists(sys.argv[3]):
        for _ in range(20):
            raw.send(discover(n))
            n += 1
        time.sleep(0.0005)
P
# Starts a flood and asks for a host's file meanwhile.
served_in_a_flood() { # KIND SECONDS
	local flood rc=0
	python3 "$WORK/flood.py" "$@" "$TREE/run/dnsmasq.log.old" >"$WORK/flood" &
	flood=$!
	until grep -q begun "$WORK/flood"; do
		kill -0 "$flood" || return 1
		sleep 0.1
	done
	for _ in $(seq 20); do from 11 "$of_node.ipxe" || rc=1; done
	wait "$flood" || rc=1
	return "$rc"
}
sizes() { stat -c %s "$TREE"/run/*.log "$TREE"/run/*.old 2>/dev/null; }
small() { [ "$(sizes | sort -n | tail -n 1)" -lt $((20 << 20)) ]; }
for kind in connections:10 requests:10 dhcp:120; do
	check "hosts are served in a flood of ${kind%:*}" served_in_a_flood "${kind%:*}" "${kind#*:}"
	check "the logs stay small" small
	sizes | paste -sd ' ' | note
done
check "the requests that were refused are not logged" test "$(wc -l <"$TREE/run/access.log")" -lt 1000
check "dnsmasq's log was truncated" test -s "$TREE/run/dnsmasq.log.old"
python3 test/build/dhcp.py cl0 - 02:00:00:00:00:99 0
check "dnsmasq goes on at its beginning" until_ok sh -c "head -c 1000 '$TREE/run/dnsmasq.log' | grep -aq dnsmasq"
check "serve reports a limited number of machines" test "$(wc -l <"$WORK/serve.err")" -lt 1100
check "and says that there are more" grep -q 'further machines like these are not reported' "$WORK/serve.err"
kill -INT "$server"
wait "$server"
check "serve exits with 0 after SIGINT" test $? -eq 0
"$RACKSTRAP" serve "$TREE" --user nobody 2>"$WORK/serve.err" &
server=$!
started() { until_ok grep -q 'Ctrl-C ends it' "$WORK/serve.err"; }
check "serve starts again" started
kill -KILL "$server"
wait "$server" 2>/dev/null
nobody_listens() { ! grep -q ':0043 \|:0045 ' /proc/net/udp; }
check "dnsmasq ends with a serve that is killed" until_ok nobody_listens
"$RACKSTRAP" serve "$TREE" --user nobody 2>"$WORK/serve.err" &
server=$!
check "serve starts after it was killed" started
kill -TERM "$server"
wait "$server"
server=
finish
