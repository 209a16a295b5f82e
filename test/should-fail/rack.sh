#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The example rack files pass, and the command lines of `rackstrap check` that are refused.
. "$(dirname "$0")/../tap.sh"

for cfg in configs/*.cfg; do
	case $cfg in
	*/slurm.cfg) continue ;; # has a secret, which is not in the repository: below
	*/plain.cfg) check "$cfg passes with the roles of its recipe" "$RACKSTRAP" check "$cfg" --recipe images/plain ;;
	*) check "$cfg passes" "$RACKSTRAP" check "$cfg" ;;
	esac
done
cp configs/slurm.cfg "$WORK/slurm.cfg"
refuse "configs/slurm.cfg lacks its secret, a file beside it" 1 \
	"rackstrap: $WORK/slurm.cfg:*: secrets: 'munge.key': $WORK/munge.key: No such file or directory: make it, or correct 'file'" \
	"$RACKSTRAP" check "$WORK/slurm.cfg" --recipe images/slurm
# The command in its comment makes the key, beside the copy.
(cd "$WORK" && sh -c "$(sed -n 's/^#\t\((umask .*)\)$/\1/p' slurm.cfg)")
check "with the secret it passes with the roles of its recipe" "$RACKSTRAP" check "$WORK/slurm.cfg" --recipe images/slurm
refuse "check with another recipe's roles" 3 'rackstrap: 3 mistakes in 1 file' \
	"$RACKSTRAP" check configs/plain.cfg --recipe images/bookworm
refuse "check with a recipe and an image" 2 \
	"rackstrap: check: options '--image' and '--recipe' exclude each other: an image has the roles of its recipe" \
	"$RACKSTRAP" check configs/plain.cfg --recipe images/plain --image out/plain
refuse "check with a recipe that does not exist" 1 \
	'rackstrap: /nonexistent/recipe.cfg: cannot be read: No such file or directory' \
	"$RACKSTRAP" check configs/plain.cfg --recipe /nonexistent/recipe.cfg
sed '/^roles/d' images/plain/recipe.cfg >"$WORK/roleless.cfg"
refuse "check with a recipe without roles" 3 \
	"rackstrap: $WORK/roleless.cfg: has no roles: no host can boot its image" \
	"$RACKSTRAP" check configs/plain.cfg --recipe "$WORK/roleless.cfg"
# The files of templates are made for each host, for a recipe that need not be built.
mkdir "$WORK/with"
printf '%s\n' 'version = 1;' "include = \"$TOP/test/should-fail/recipe/good\";" 'name = "t";' \
	'roles = ( { name = "node"; features = [ "docker" ]; } );' \
	'templates = ( { path = "/etc/x"; file = "x"; format = "ini"; } );' >"$WORK/with/recipe.cfg"
printf '[x]\n{{#host.docker_options}}\na = {{.}}\n{{/host.docker_options}}\n' >"$WORK/with/x"
{
	echo 'cluster : { name = "x"; node_network = "172.25.0.0/24"; boot_server = "172.25.0.1"; ssh_keys = [ ];'
	echo 'docker_options = [ "--a=%" ]; };'
	for i in 1 2 3 4; do
		echo "$([ $i = 1 ] && echo 'hosts = (' || echo ,) { name = \"n$i\"; role = \"node\"; mac = \"52:54:00:25:00:1$i\"; address = \"172.25.0.1$i\"; }"
	done
	echo ');'
} >"$WORK/with/rack.cfg"
for way in "--recipe $WORK/with" ''; do
	# shellcheck disable=SC2086 # two words or none
	refuse "a file that cannot be made for hosts ${way%% *}" 3 'rackstrap: 4 mistakes in 1 file' "$RACKSTRAP" check "$WORK/with/rack.cfg" $way
	cp "$WORK/err" "$WORK/said"
	check "the first one is named, and the others are counted" diff - "$WORK/said" <<-E
		rackstrap: $WORK/with/rack.cfg:3: host 'n1': the template $WORK/with/x:3: the value of {{.}} has a '%', which begins a specifier of systemd: '--a=%'
		rackstrap:     and 3 more hosts: n2 (line 4), n3 (line 5), n4 (line 6)
		rackstrap: 4 mistakes in 1 file
	E
done
# Lines are those of the file that a host is in, which may be one that the rack file includes.
mkdir "$WORK/with/inc"
{ echo && sed -n '3s/^hosts = (//p' "$WORK/with/rack.cfg"; } >"$WORK/with/inc/n1.cfg"
sed -n '4s/^,//p' "$WORK/with/rack.cfg" >"$WORK/with/inc/n2.cfg"
sed '3s|.*|hosts = (\n@include "inc/n1.cfg"|; 4s|.*|,\n@include "inc/n2.cfg"|' "$WORK/with/rack.cfg" >"$WORK/with/includes.cfg"
refuse "such files for hosts of included files" 3 'rackstrap: 4 mistakes in 1 file' \
	"$RACKSTRAP" check "$WORK/with/includes.cfg" --recipe "$WORK/with"
cp "$WORK/err" "$WORK/said"
check "each host is named with its own file" diff - "$WORK/said" <<-E
	rackstrap: $WORK/with/inc/n1.cfg:2: host 'n1': the template $WORK/with/x:3: the value of {{.}} has a '%', which begins a specifier of systemd: '--a=%'
	rackstrap:     and 3 more hosts: n2 ($WORK/with/inc/n2.cfg:1), n3 ($WORK/with/includes.cfg:7), n4 ($WORK/with/includes.cfg:8)
	rackstrap: 4 mistakes in 1 file
E
key='ssh_keys = [ "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDq1F/2X0oTVvX7oP0Zb7dN2gRkU0f1Jx0b2o3a4c5d6 op@desk" ];'
sed -i "s/--a=%/--a/; s/ssh_keys = \\[ \\];//; s|mac = |$key &|" "$WORK/with/includes.cfg"
check "a host of an included file without ssh keys is a warning" "$RACKSTRAP" check "$WORK/with/includes.cfg" --recipe "$WORK/with"
check "it has the file and line of the host" test "$(cat "$WORK/err")" = \
	"rackstrap: warning: $WORK/with/inc/n1.cfg:2: host 'n1' and others have no ssh_keys: nobody will be able to log in there"
cat >"$WORK/relay.cfg" <<-E
	cluster : { name = "x"; boot_server = "10.9.0.1";
	  ssh_keys = [ "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDq1F/2X0oTVvX7oP0Zb7dN2gRkU0f1Jx0b2o3a4c5d6 op@desk" ]; };
	hosts = ( { name = "n"; role = "server"; mac = "52:54:00:25:00:11"; address = "172.25.0.11/24"; gateway = "172.25.0.1"; } );
E
check "a boot server outside of every host's network is a warning" "$RACKSTRAP" check "$WORK/relay.cfg" --recipe images/plain
check "it says what is needed" test "$(cat "$WORK/err")" = \
	"rackstrap: warning: $WORK/relay.cfg: boot_server 10.9.0.1 is outside every host's network: a DHCP relay is needed"
refuse "check without a rack file" 2 'rackstrap: check: missing argument RACK.cfg: a rack file' "$RACKSTRAP" check
missing='rackstrap: /nonexistent.cfg: cannot be read: No such file or directory'
refuse "check of a file that does not exist" 1 "$missing" "$RACKSTRAP" check /nonexistent.cfg
check "it is one line" test "$(wc -l <"$WORK/err")" = 1
refuse "check of such a file and a wrong one" 3 'rackstrap: 1 mistake in 1 file' \
	"$RACKSTRAP" check /nonexistent.cfg test/should-fail/rack/mac-text.cfg
cp "$WORK/err" "$WORK/said"
check "it names both" grep -qxF "$missing" "$WORK/said"
printf '\377\376c\0=\0' >"$WORK/utf16.cfg"
check "check of UTF-16 says so" \
	sh -c "! '$RACKSTRAP' check '$WORK/utf16.cfg' 2>'$WORK/said' && grep -qF 'is a text in UTF-16: save it as UTF-8' '$WORK/said'"
check "no ssh key anywhere is a warning" "$RACKSTRAP" check configs/demo.cfg
check "it is one line" test "$(cat "$WORK/err")" = \
	'rackstrap: warning: configs/demo.cfg: no host has ssh_keys: nobody will be able to log in'
refuse "check with an image that does not exist" 1 \
	'rackstrap: image /nonexistent: no manifest.json: not the folder of an image (`rackstrap build` makes one in out/)' \
	"$RACKSTRAP" check configs/demo.cfg --image /nonexistent
for name in 'a b' '' 0123456789abcdef; do
	refuse "pxe with the interface '$name'" 2 \
		"rackstrap: pxe: option '--interface' must be the name of an interface, not '$name'" \
		"$RACKSTRAP" pxe /nonexistent.cfg --image /nonexistent -o "$WORK/tree" --interface "$name"
done
refuse "rack with arguments for no program" 2 \
	"rackstrap: rack: unexpected argument 'x' (arguments of the program need '--run PROGRAM')" \
	"$RACKSTRAP" rack configs/demo.cfg --image /nonexistent x
refuse "rack with a program and JSON" 2 \
	"rackstrap: rack: options '--run' and '--json' exclude each other: standard output is the program's" \
	"$RACKSTRAP" rack configs/demo.cfg --image /nonexistent --json --run true -- -x
refuse "rack with a wrong time" 2 \
	"rackstrap: rack: option '--timeout' must be 1s to 1d, as in 90s, 5m, 2h or 1d, not '5min'" \
	"$RACKSTRAP" rack configs/demo.cfg --image /nonexistent --timeout 5min
refuse "ssh without a host" 2 "rackstrap: ssh: missing argument HOST: the name of one of its hosts" \
	"$RACKSTRAP" ssh /nonexistent
finish
