#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A right host file and a dry run of it, the command lines of firstboot that are refused, and its
# --help against its man page.
. "$(dirname "$0")/../tap.sh"
FIRSTBOOT=$ABS_O/firstboot

# A feature of the role decides who is a master, not the role's name.
echo 'roles = ( { name = "boss"; features = [ "kubernetes-master", "nat", "calico", "docker", "network-environment" ]; }, { name = "master"; } );' >"$WORK/roles.cfg"
echo 'name = "m"; role = "boss"; address = "172.25.0.10/24";' >"$WORK/boss.cfg"
echo 'name = "n"; role = "master"; address = "172.25.0.11/24"; master = "172.25.0.11";' \
	>"$WORK/no-master.cfg"
check "a master whose role has another name passes" \
	"$FIRSTBOOT" --roles="$WORK/roles.cfg" check "$WORK/boss.cfg"
refuse "a role that is only named master" 3 "firstboot: $WORK/no-master.cfg: 1 mistake" \
	"$FIRSTBOOT" --roles="$WORK/roles.cfg" check "$WORK/no-master.cfg"

# A dry run prints the same plan as the unit test of the model.
good=test/golden/firstboot/node.cfg
check "a right host file passes" "$FIRSTBOOT" check $good
check "check prints the host's name and role" test "$(cat "$WORK/out")" = \
	"$good: node-1 (node), ok (no image was asked: --roles checks the role and its features)"
check "a right host file passes with the image's roles" "$FIRSTBOOT" --roles=test/data/roles.cfg check $good
check "then no more is said" test "$(cat "$WORK/out")" = "$good: node-1 (node), ok"

root=$WORK/root
mkdir -p "$root/run/rackstrap" "$root/sys/class/net/eth0/device"
echo 52:54:00:25:00:11 >"$root/sys/class/net/eth0/address"
echo 1 >"$root/sys/class/net/eth0/type"
echo 2 >"$root/sys/class/net/eth0/ifindex"
cp $good "$root/run/rackstrap/host.cfg"
mkdir -p "$root/usr/lib/rackstrap"
cp -r images/common/templates "$root/usr/lib/rackstrap/"
cat >"$root/usr/lib/rackstrap/templates.cfg" <<'END'
templates = (
	{ path = "/etc/network-environment"; mode = "0644"; format = "environment";
		text = "network-environment"; },
	{ path = "/etc/default/docker"; mode = "0644"; format = "environment"; text = "docker"; }
);
END
install -D -m 644 test/data/roles.cfg "$root/usr/lib/rackstrap/roles.cfg"
find "$root" -type f | sort >"$WORK/before"
check "a dry run succeeds" "$FIRSTBOOT" --root="$root" apply --dry-run
cp "$WORK/out" "$WORK/plan"
check "a dry run prints the plan" diff "${good%.cfg}.plan" "$WORK/plan"
find "$root" -type f | sort >"$WORK/after"
check "a dry run creates no file" diff "$WORK/before" "$WORK/after"
refuse "a dry run for a MAC address that no link has" 3 \
	'firstboot: kernel command line: mac: no link has 52:54:00:25:00:12; there are: eth0 (52:54:00:25:00:11)' \
	"$FIRSTBOOT" --root="$root" --link-timeout=0 --cmdline='rackstrap.mac=52:54:00:25:00:12' \
	apply --dry-run
refuse "a dry run with an unknown word on the kernel command line" 3 'firstboot: this host: 1 mistake' \
	"$FIRSTBOOT" --root="$root" --cmdline=rackstrap.nme=x apply --dry-run

# The command line.
refuse "no command" 2 'firstboot: missing command (see firstboot --help)' "$FIRSTBOOT"
refuse "an unknown command" 2 \
	"firstboot: unknown command 'aply' (did you mean 'apply'?)" \
	"$FIRSTBOOT" aply
refuse "an unknown option" 2 \
	"firstboot: unknown option '--rot' (did you mean '--root'?)" \
	"$FIRSTBOOT" --rot=x apply
refuse "an option without its value" 2 \
	"firstboot: apply: option '--root' requires an argument" \
	"$FIRSTBOOT" apply --root
refuse "a short option" 2 "firstboot: unknown option '-x' (see firstboot --help)" \
	"$FIRSTBOOT" -x apply
refuse "a time of more than a day" 2 \
	"firstboot: report: option '--timeout' must be 0s to 1d, as in 90s, 5m, 2h or 1d, not '25h'" \
	"$FIRSTBOOT" report --timeout=25h
refuse "check without a file" 2 'firstboot: check: missing argument FILE: a host.cfg' "$FIRSTBOOT" check
refuse "an argument too many" 2 "firstboot: explain: unexpected argument 'x'" "$FIRSTBOOT" explain x
refuse "a root that does not exist" 1 'firstboot: /nonexistent: No such file or directory' \
	"$FIRSTBOOT" --root=/nonexistent explain
refuse "a file that does not exist" 1 'firstboot: /nonexistent.cfg: cannot be read: No such file or directory' \
	"$FIRSTBOOT" check /nonexistent.cfg
refuse "a full standard output" 1 'firstboot: standard output: No space left on device' \
	bash -c "exec '$FIRSTBOOT' check $good >/dev/full"

# --help fits into 80 columns and has the same options and commands as the man page.
check "--help succeeds" "$FIRSTBOOT" --help
cp "$WORK/out" "$WORK/help"
check "--help fits into 80 columns" awk 'length($0) > 80 { exit 1 }' "$WORK/help"
grep -oE -- '--[a-z][a-z-]*' "$WORK/help" | sort -u >"$WORK/help-options"
grep '^\.It Fl' man/firstboot.8 | grep -oE 'Fl Fl [a-z-]+' | sed 's/^Fl Fl /--/' |
	sort -u >"$WORK/man-options"
check "--help and the man page have the same options" diff "$WORK/help-options" "$WORK/man-options"
sed -nE 's/^  ([a-z][a-z-]*) .*/\1/p' "$WORK/help" | sort -u >"$WORK/help-commands"
sed -nE 's/^\.It Cm ([a-z-]+).*/\1/p' man/firstboot.8 | sort -u >"$WORK/man-commands"
check "--help and the man page have the same commands" \
	diff "$WORK/help-commands" "$WORK/man-commands"
finish
