#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# rackstrap-ssh-keys.service, run by hand in a folder of ours: a host has a key after it,
# the same one from then on, and gets one where a power cut left an empty file.
. "$(dirname "$0")/../tap.sh"
sed "s|/etc/ssh|$WORK/ssh|g" images/common/units/rackstrap-ssh-keys.service >"$WORK/unit"
key=$WORK/ssh/ssh_host_ed25519_key
mkdir "$WORK/ssh"

# What systemd does with the unit; 1: a condition does not hold.
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

check "a new host" unit
check "has a key" is_key
cp "$key" "$WORK/first"
unit >"$WORK/out" 2>&1
check "the next boot skips it" test $? = 1
check "the key is the same" cmp "$WORK/first" "$key"
: >"$key"
: >"$key.pub"
check "a host with empty files" unit
check "has a key again" is_key
finish
