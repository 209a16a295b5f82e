#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# rackstrap discover with the logs of a boot server that were made by hand: what is unknown, what
# is proposed for it, its three forms, --map, --watch, and what hostile machines say of themselves.
. "$(dirname "$0")/../tap.sh"
export TZ=UTC
TREE=$WORK/tree
mkdir -p "$TREE/run"

tree() { # HOST-LINE...
	cat >"$WORK/tree.cfg" <<-'END'
	version = 1;
	rack = "demo";
	image = "plain";
	boot_server = "172.25.0.14";
	strangers_pool = "172.25.0.15-172.25.0.20";
	http_port = 80;
	proxy_dhcp = false;
	hosts = (
		{ name = "master"; role = "master"; mac = "52:54:00:25:00:10"; address = "172.25.0.10/24"; },
		{ name = "node-1"; role = "node"; mac = "52:54:00:25:00:11"; address = "172.25.0.13/24";
		  cbr0 = "192.168.7.1/24"; uuid = "4c4c4544-0051-3510-8052-b7c04f4e3232"; },
		{ name = "node-2"; role = "node"; mac = "52:54:00:25:00:12"; address = "172.25.0.12/24";
		  cbr0 = "192.168.2.1/24"; serial = "CZ 1"; }
	END
	printf '%s\n' "$@" ');' >>"$WORK/tree.cfg"
	mv "$WORK/tree.cfg" "$TREE/tree.cfg"
}
# says TIME ADDRESS QUERY [LOADER]: a request of a machine.
says() { printf '%s.123 %s "GET /strangers.%s?%s HTTP/1.1" 200 600 0.000\n' "$1" "$2" "${4:-ipxe}" "$3" >>"$TREE/run/access.log"; }
# asks LINE: a line of dnsmasq's log, of now.
asks() { printf '%s dnsmasq-dhcp[7]: %s\n' "$(date '+%b %e %T')" "$1" >>"$TREE/run/dnsmasq.log"; }
discover() { "$RACKSTRAP" discover "$TREE" "$@" >"$WORK/found" 2>"$WORK/messages"; }
# prints WHAT: the command has printed the text of standard input.
prints() {
	cat >"$WORK/want"
	if cmp -s "$WORK/want" "$WORK/found"; then
		pass "$1"
	else
		fail "$1"
		diff "$WORK/want" "$WORK/found" | note
	fi
}

tree
check "a tree that was never served" discover
prints "has no unknown machine" </dev/null
check "which is said" grep -qxF "rackstrap: $TREE: no unknown machine has asked" "$WORK/messages"

says 1450000100 172.25.0.16 'mac=52:54:00:99:99:02&serial=S%20N-1&uuid=4c4c4544-0051-3510-8052-b7c04f4e3299&manufacturer=QEMU&product=Standard%20PC%20(i440FX%20+%20PIIX,%201996)&asset=A%231&switch=leaf-1&port=Ethernet7'
says 1450000115 172.25.0.16 'mac=52:54:00:99:99:02&serial=S%20N-1'
says 1450000000 172.25.0.17 'mac=52:54:00:99:99:01&serial=To%20be%20filled%20by%20O.E.M.&uuid=00000000-0000-0000-0000-000000000000' grub
for mac in 52:54:00:25:00:11 01:00:5e:00:00:01 00:00:00:00:00:00 nonsense ''; do says 1450000000 172.25.0.17 "mac=$mac"; done
says 1450000000 172.25.0.18 'mac=52:54:00:99:99:03&uuid=4C4C4544-0051-3510-8052-B7C04F4E3232'
says 1450000000 172.25.0.18 'mac=52:54:00:99:99:04&serial=cz%201'
printf '%s\n' 'rubbish' '1450000000.000 172.25.0.9 "GET /boot.ipxe?mac=52:54:00:99:99:05 HTTP/1.1" 200 1 0.000' \
	'1450000000.000 172.25.0.9 "GET /strangers.ipxe?mac=52:54:00:99:99:05 HTTP/1.1" 404 1 0.000' >>"$TREE/run/access.log"
cat >"$TREE/run/dnsmasq.log" <<-'END'
dnsmasq-dhcp: DHCPDISCOVER(br0) 52:54:00:99:99:09 no address available
dnsmasq-dhcp: 123456 DHCPDISCOVER(br0) 172.25.0.99 52:54:00:99:99:09 no address available
dnsmasq-dhcp: PXE(br0) 52:54:00:99:99:0a proxy-ignored
dnsmasq-dhcp: DHCPDISCOVER(br0) 52:54:00:99:99:0b
dnsmasq-dhcp: DHCPACK(br0) 172.25.0.12 52:54:00:99:99:0b node-2
dnsmasq-dhcp: DHCPACK(br0) 172.25.0.18 52:54:00:99:99:0c a-name DHCPDISCOVER(br0) 52:54:00:99:99:0d
dnsmasq-dhcp: DHCPDISCOVER(br0) 52:54:00:99:99:0f
dnsmasq-dhcp: DHCPOFFER(br0) 172.25.0.19 52:54:00:99:99:0f
dnsmasq-dhcp: 9 client provides name: DHCPDISCOVER(br0) 52:54:00:99:99:0d
dnsmasq-dhcp: DHCPDISCOVER(br0) 52:54:00:25:00:12
dnsmasq-tftp: sent DHCPDISCOVER(br0) 52:54:00:99:99:0e
END
# A host that was found by its serial number has an address of the pool.
echo '1450000200.000 172.25.0.19 "GET /hosts/52-54-00-25-00-12.ipxe HTTP/1.1" 200 900 0.000' >>"$TREE/run/access.log"
check "unknown machines are found in both logs" discover
prints "each is an entry with a comment, those that were first seen last at the end" <<-'END'
# 52:54:00:99:99:09: asked 2 times, only for an address (DHCP)
{ name = "new-525400999909"; role = "node"; mac = "52:54:00:99:99:09"; address = "172.25.0.21/24"; cbr0 = "192.168.8.1/24"; },
# 52:54:00:99:99:0a: asked 1 time, only for an address (DHCP)
{ name = "new-52540099990a"; role = "node"; mac = "52:54:00:99:99:0a"; address = "172.25.0.22/24"; cbr0 = "192.168.9.1/24"; },
# 52:54:00:99:99:01, serial To be filled by O.E.M.: asked 1 time, at 2015-12-13T09:46:40Z, by 172.25.0.17
{ name = "new-525400999901"; role = "node"; mac = "52:54:00:99:99:01"; address = "172.25.0.23/24"; cbr0 = "192.168.10.1/24"; },
# 52:54:00:99:99:02, QEMU Standard PC (i440FX + PIIX, 1996), asset A#1, switch leaf-1, port Ethernet7: asked 2 times, from 2015-12-13T09:48:20Z to 2015-12-13T09:48:35Z, by 172.25.0.16
{ name = "new-525400999902"; role = "node"; mac = "52:54:00:99:99:02"; address = "172.25.0.24/24"; cbr0 = "192.168.11.1/24"; serial = "S N-1"; uuid = "4c4c4544-0051-3510-8052-b7c04f4e3299"; },
END
cp "$WORK/found" "$WORK/new.cfg"

# The entries can be pasted, or included, as they are.
sed '/^hosts = (/a @include "new.cfg"' configs/demo.cfg >"$WORK/rack.cfg"
check "the entries are right in a rack file" "$RACKSTRAP" check "$WORK/rack.cfg"

check "--csv" discover --csv
prints "prints a table, with the keys of rack.cfg as titles" <<-'END'
name,role,mac,address,cbr0,serial,uuid,#manufacturer,#product,#asset,#switch,#port,#seen,#first_seen,#last_seen,#seen_at
new-525400999909,node,52:54:00:99:99:09,172.25.0.21/24,192.168.8.1/24,,,,,,,,2,,,
new-52540099990a,node,52:54:00:99:99:0a,172.25.0.22/24,192.168.9.1/24,,,,,,,,1,,,
new-525400999901,node,52:54:00:99:99:01,172.25.0.23/24,192.168.10.1/24,,,,,,,,1,2015-12-13T09:46:40Z,2015-12-13T09:46:40Z,172.25.0.17
new-525400999902,node,52:54:00:99:99:02,172.25.0.24/24,192.168.11.1/24,S N-1,4c4c4544-0051-3510-8052-b7c04f4e3299,QEMU,"Standard PC (i440FX + PIIX, 1996)",A#1,leaf-1,Ethernet7,2,2015-12-13T09:48:20Z,2015-12-13T09:48:35Z,172.25.0.16
END
check "--json" discover --json
check "prints JSON with the same" python3 - "$WORK/found" <<-'END'
import json, sys
d = json.load(open(sys.argv[1], encoding="utf-8"))
assert d["format"] == 1 and d["rack"] == "demo" and len(d["machines"]) == 4, d
m = d["machines"][3]
assert m["product"] == "Standard PC (i440FX + PIIX, 1996)" and m["seen"] == 2 and m["port"] == "Ethernet7", m
assert m["first_seen"] == "2015-12-13T09:48:20Z" and m["seen_at"] == "172.25.0.16", m
assert m["proposal"] == {"name": "new-525400999902", "role": "node", "address": "172.25.0.24/24",
                         "cbr0": "192.168.11.1/24", "serial": "S N-1",
                         "uuid": "4c4c4544-0051-3510-8052-b7c04f4e3299"}, m
assert d["machines"][0]["seen_at"] is None and d["machines"][0]["first_seen"] is None, d
assert d["machines"][2]["proposal"]["serial"] is None, d
END

# --- names by ports
printf '\xef\xbb\xbfport,name,switch\r\nEthernet7,"node-7","leaf-1"\r\n\r\nEthernet7,node-8,leaf-2\r\n' >"$WORK/ports.csv"
check "--map" discover --map "$WORK/ports.csv"
check "names a machine by its switch and port" grep -q '^{ name = "node-7"; .*52:54:00:99:99:02' "$WORK/found"
check "and no other one" test "$(grep -c '^{ name = "new-' "$WORK/found")" = 3
map() { # TEXT STATUS MESSAGE
	# shellcheck disable=SC2059
	printf "$1" >"$WORK/bad.csv"
	refuse "$3" "$2" "rackstrap: $WORK/bad.csv$3" "$RACKSTRAP" discover "$TREE" --map "$WORK/bad.csv"
}
L="the first row has the names of the columns: switch,port,name"
map '' 3 ": is empty: $L"
map 'switch,port\n' 3 ":1: column 'name' is missing: $L"
map 'switch,port,host\n' 3 ":1: column 3: unknown name 'host': $L"
map 'switch,port,name,port\n' 3 ":1: column 4: 'port' is also column 2"
map 'switch,port,name\na,1\n' 3 ":2: the row has 2 cells, and the first row 3"
map 'switch,port,name\na,,n\n' 3 ":2: a row needs the names of a switch and a port"
map 'switch,port,name\na,1,Node\n' 3 ":2: name: \"Node\" is not a host name: a-z, 0-9 and '-', at most 63, no '-' at an end"
map 'switch,port,name\na,1,n\na,2,n\n' 3 ":3: name 'n' is also that of another row"
map 'switch,port,name\na,1,n\na,1,m\n' 3 ":3: port '1' of switch 'a' is also in another row"
map 'switch,port,name\na,"1,n\n' 3 ":2: a cell has no quotation mark at its end"
map 'switch,port,name\na,\377,n\n' 3 ":2: the byte 0xff is not UTF-8: save the table as \"CSV UTF-8\""
refuse "a map that is not there is refused" 1 "rackstrap: $WORK/none.csv: No such file or directory" \
	"$RACKSTRAP" discover "$TREE" --map "$WORK/none.csv"
refuse "no tree" 1 "rackstrap: $WORK is not a boot tree (there is no tree.cfg): render one with \`rackstrap pxe\`" \
	"$RACKSTRAP" discover "$WORK"
for o in --csv --watch; do
	refuse "--json and $o" 2 "rackstrap: discover: options '--json' and '$o' exclude each other" "$RACKSTRAP" discover "$TREE" --json $o
done

# --- what hostile machines say
rm -f "$TREE"/run/*.log
says 1450000000 172.25.0.16 'mac=52:54:00:99:99:01&serial=%3Dcmd%7C%22x%22&manufacturer=@x%0a}%3b%20cluster&product=%1b[2J%e2%80%ae%ff&asset=\x22,\x22&switch=*/%20//%20%23&port=%00'
says 1450000001 172.25.0.16 "mac=52:54:00:99:99:02&serial=%22;%20%7D,%20%7B%20name%20=%20%22root&product=$(printf 'x%.0s' {1..900})"
check "hostile texts" discover
prints "stay in their comments and strings" <<-END
# 52:54:00:99:99:01, @x }; cluster ?[2J????, asset ",", switch */ // #: asked 1 time, at 2015-12-13T09:46:40Z, by 172.25.0.16
{ name = "new-525400999901"; role = "node"; mac = "52:54:00:99:99:01"; address = "172.25.0.21/24"; cbr0 = "192.168.8.1/24"; serial = "=cmd|\"x\""; },
# 52:54:00:99:99:02 $(printf 'x%.0s' {1..64}): asked 1 time, at 2015-12-13T09:46:41Z, by 172.25.0.16
{ name = "new-525400999902"; role = "node"; mac = "52:54:00:99:99:02"; address = "172.25.0.22/24"; cbr0 = "192.168.9.1/24"; serial = "\"; }, { name = \"root"; },
END
sed '/^hosts = (/a @include "hostile.cfg"' configs/demo.cfg >"$WORK/rack.cfg"
cp "$WORK/found" "$WORK/hostile.cfg"
check "a rack file with them has two hosts more" "$RACKSTRAP" check "$WORK/rack.cfg"
check "--csv with hostile texts" discover --csv
check "is a table without formulas" python3 - "$WORK/found" <<-'END'
import csv, sys
rows = list(csv.reader(open(sys.argv[1], encoding="utf-8", newline=""), strict=True))
assert len(rows) == 3 and {len(r) for r in rows} == {len(rows[0])}, rows
assert not any(c[:1] in ("=", "+", "-", "@") for r in rows for c in r), rows
assert rows[1][rows[0].index("#asset")] == '","', rows
assert rows[1][rows[0].index("#manufacturer")] == "'@x }, cluster", rows
assert rows[1][rows[0].index("serial")] == "", rows
END

# Many programs separate cells by semicolons.
rm -f "$TREE"/run/*.log
says 1450000000 172.25.0.16 'mac=52:54:00:99:99:01&serial=A;%20=1&manufacturer=x;@y;z&product=a;b&asset=;;-1'
check "--csv with semicolons" discover --csv
check "has no formulas behind them" python3 - "$WORK/found" <<-'END'
import csv, sys
rows = list(csv.reader(open(sys.argv[1], encoding="utf-8", newline=""), strict=True))
assert not any(p.strip()[:1] in ("=", "+", "-", "@") and p for r in rows for c in r for p in c.split(";")), rows
host = dict(zip(*rows))
assert host["serial"] == "" and host["#manufacturer"] == "'x,@y,z", host
assert host["#product"] == "a;b" and host["#asset"] == "',,-1", host
END
rm -f "$TREE"/run/*.log

# --- a flood
python3 - "$TREE/run/access.log" <<-'END'
import sys
with open(sys.argv[1], "a") as f:
    for i in range(30000):
        mac = "02:00:00:%02x:%02x:%02x" % (i >> 16, i >> 8 & 255, i & 255)
        f.write('1450000%03d.000 172.25.0.16 "GET /strangers.ipxe?mac=%s HTTP/1.1" 200 1 0.000\n' % (i // 100, mac))
        if i % 1500 == 0:
            f.write('1450000%03d.000 172.25.0.17 "GET /strangers.ipxe?mac=52:54:00:99:99:99 HTTP/1.1" 200 1 0.000\n' % (i // 100))
END
check "a flood of machines" discover
check "is limited" test "$(grep -c '^{' "$WORK/found")" = 10000
check "and forgets no machine that asks again and again" grep -q '^# 52:54:00:99:99:99: asked 20 times' "$WORK/found"
check "addresses end with the network" test "$(grep -c ' address = "172.25.0.[0-9]*/24";' "$WORK/found")" = 234

# --- --watch
rm -f "$TREE"/run/*.log
says 1450000000 172.25.0.16 'mac=52:54:00:99:99:01'
"$RACKSTRAP" discover "$TREE" --watch >"$WORK/watched" 2>&1 &
PID=$!
tap_cleanup() { [ -z "$PID" ] || kill "$PID" 2>/dev/null; }
shows() { # PATTERN COUNT
	for _ in {1..600}; do
		[ "$(grep -c "$1" "$WORK/watched")" != "$2" ] || return 0
		sleep 0.1
	done
	return 1
}
check "--watch prints what is there" shows '^{.*52:54:00:99:99:01' 1
asks 'DHCPDISCOVER(br0) 52:54:00:99:99:02 no address available'
says 1450000015 172.25.0.16 'mac=52:54:00:99:99:01'
says 1450000016 172.25.0.17 'mac=52:54:00:99:99:03&serial=A'
check "and a machine that says what it is" shows '^{.*52:54:00:99:99:03.*serial = "A"' 1
check "but not yet one that only asked for an address" shows '52:54:00:99:99:02' 0
says 1450000020 172.25.0.18 'mac=52:54:00:99:99:02&serial=B'
check "it is printed when it says what it is" shows '^{.*52:54:00:99:99:02.*serial = "B"' 1
mv "$TREE/run/access.log" "$TREE/run/access.log.old"
tree ', { name = "node-3"; role = "node"; mac = "52:54:00:99:99:04"; address = "172.25.0.25/24"; cbr0 = "192.168.30.1/24"; }'
says 1450000030 172.25.0.18 'mac=52:54:00:99:99:04'
says 1450000031 172.25.0.18 'mac=52:54:00:99:99:05'
check "a log that was renamed and a tree that was rendered again are read" shows '^{.*52:54:00:99:99:05.*172.25.0.26/24' 1
check "what has become a host is not printed" shows '52:54:00:99:99:04' 0
check "nothing is printed twice" test "$(grep -c '^{' "$WORK/watched")" = 4
kill -TERM "$PID"
wait "$PID"
rc=$?
PID=
check "a signal ends it with 130, as Ctrl-C does" test $rc = 130
finish
