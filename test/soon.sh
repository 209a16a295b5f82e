# SPDX-License-Identifier: Apache-2.0
#
# Sourced by tests that start programs on this machine and wait for them.
# shellcheck shell=bash

until_ok() { # COMMAND...: again and again until it succeeds, for five minutes
	local _
	for _ in $(seq 1500); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.2
	done
	"$@"
}
is() { [ "$1" = "$2" ] || { echo "'$1', not '$2'"; return 1; }; }
