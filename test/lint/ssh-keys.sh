#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# rackstrap-ssh-keys.service, run by the test in a temporary folder: a host gets a key, keeps it,
# and gets another one where a power cut left an empty file.
. "$(dirname "$0")/../tap.sh"
sed "s|/etc/ssh|$WORK/ssh|g" firstboot/units/rackstrap-ssh-keys.service >"$WORK/unit"
key=$WORK/ssh/ssh_host_ed25519_key
mkdir "$WORK/ssh"

# Runs the unit as systemd does. Returns 1 when a condition is not met.
unit() {
	local line
	grep '^Condition' "$WORK/unit" >"$WORK/conditions"
	while read -r line; do
		systemd-analyze condition "$line" || return 1
	done <"$WORK/conditions"
	sed -n 's/^Exec[A-Za-z]*=//p' "$WORK/unit" >"$WORK/commands"
	while read -r line; do
		eval "$line" </dev/null || return 2
	done <"$WORK/commands"
}
is_key() { [ "$(ssh-keygen -y -f "$key" | cut -d' ' -f1,2)" = "$(cut -d' ' -f1,2 "$key.pub")" ] && [ -s "$key" ]; }

check "the unit succeeds on a new host" unit
check "a new host gets a key" is_key
cp "$key" "$WORK/first"
unit >"$WORK/out" 2>&1
check "the unit is skipped at the next boot" test $? = 1
check "the key is kept" cmp "$WORK/first" "$key"
: >"$key"
: >"$key.pub"
check "the unit succeeds on a host with empty key files" unit
check "a host with empty key files gets a key" is_key
finish
