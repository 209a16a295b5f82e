# SPDX-License-Identifier: Apache-2.0
#
# Sourced by the shell tests: TAP on standard output, the rest on standard error.
#
#	check "what is true" COMMAND...	ok when the command exits 0
#	refuse "what" STATUS 'exact last line' COMMAND...
#					ok when it exits so and its standard error ends so
#	bail "why"			the rest makes no sense; counts as a failure
#	finish				the plan; exits 1 when something failed
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
export O=${O:-build} LC_ALL=C
TOP=$PWD
case $O in /*) ABS_O=$O ;; *) ABS_O=$TOP/$O ;; esac
RACKSTRAP=$ABS_O/rackstrap
tap_n=0
tap_bad=0
WORK=$(mktemp -d "${TMPDIR:-/tmp}/rackstrap-test.XXXXXX") || exit 1
tap_cleanup() { :; }
trap 'tap_cleanup; rm -rf "$WORK"' EXIT
trap 'exit 130' INT TERM

pass() { tap_n=$((tap_n + 1)); echo "ok $tap_n - $*"; }
fail() { tap_n=$((tap_n + 1)); tap_bad=$((tap_bad + 1)); echo "not ok $tap_n - $*"; }
skip() { tap_n=$((tap_n + 1)); echo "ok $tap_n - $1 # SKIP $2"; }
note() { sed 's/^/# /'; }

check() {
	local what=$1 rc=0
	shift
	"$@" >"$WORK/out" 2>"$WORK/err" || rc=$?
	if [ $rc = 0 ]; then
		pass "$what"
	else
		fail "$what"
		echo "# exit $rc of: $*"
		tail -n 20 "$WORK/out" | note
		tail -n 20 "$WORK/err" | note
		return 1
	fi
}

refuse() {
	local what=$1 status=$2 want=$3 rc=0 got
	shift 3
	"$@" >"$WORK/out" 2>"$WORK/err" </dev/null || rc=$?
	got=$(tail -n 1 "$WORK/err")
	# shellcheck disable=SC2053 # a pattern on purpose
	if [ "$rc" = "$status" ] && [[ $got == $want ]]; then
		pass "$what"
	else
		fail "$what"
		printf '# exit %s, wanted %s\n# said:   %s\n# wanted: %s\n' "$rc" "$status" "$got" "$want"
		return 1
	fi
}

bail() { fail "$*"; finish; }

finish() {
	echo "1..$tap_n"
	[ $tap_bad -eq 0 ]
	exit
}
