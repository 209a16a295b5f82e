# SPDX-License-Identifier: Apache-2.0
#
# Sourced by the shell tests: writes TAP to standard output, everything else to standard error.
#
#	check "what is expected" COMMAND...
#				ok when the command exits with 0; its output is in $WORK/out and
#				$WORK/err
#	refuse "what is refused" STATUS 'last line' COMMAND...
#				ok when the command exits with STATUS and the last line of its
#				standard error matches the pattern; output as with check
#	quiet "what is expected" COMMAND...
#				ok when the command, which prints each violation, prints nothing
#	pass "what is expected", fail "what is expected"
#				write one case as ok or not ok
#	skip "what is expected" "why"
#				writes a case that could not be run
#	note			writes its standard input as comments
#	copy_cache FOLDER	links the inputs and bases of the tests' cache into FOLDER
#	install_2015 ROOT	writes there what firstboot reads of an image of 2015: roles, templates
#	bail "why"		ends the test as failed
#	finish			writes the plan; exits with 1 when a case has failed
#	is_long			succeeds in `make check-long`, which sets TEST_LONG=1: a test then
#				runs all its cases, otherwise a choice of them
#
# Changes into the repository's top folder, $TOP. $O is the build folder, $ABS_O its absolute path,
# $RACKSTRAP the program. $WORK is a folder of the test, which is removed at its end; a test that
# has more to clean up redefines tap_cleanup.
# shellcheck shell=bash disable=SC2034
set -u
# No test depends on settings of the user who runs it. Proxies are kept, for tests that fetch
# packages.
umask 022
unset CDPATH GREP_OPTIONS GZIP TAR_OPTIONS XZ_DEFAULTS XZ_OPT ZSTD_CLEVEL ZSTD_NBTHREADS \
	"${!MTOOLS@}" SOURCE_DATE_EPOCH TERM TZ
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
export O=${O:-build} LC_ALL=C
# The programs that `make deps` installs come first, such as the Python that has jsonschema.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH
TOP=$PWD
case $O in /*) ABS_O=$O ;; *) ABS_O=$TOP/$O ;; esac
RACKSTRAP=$ABS_O/rackstrap
tap_n=0
tap_bad=0
case ${TMPDIR:-/tmp} in
*[!A-Za-z0-9/._+-]*) echo "Bail out! TMPDIR may have letters, digits and /._+- only: $TMPDIR"; exit 1 ;;
esac
WORK=$(mktemp -d "${TMPDIR:-/tmp}/rackstrap-test.XXXXXX") || exit 1
tap_cleanup() { :; }
trap 'tap_cleanup; rm -rf "$WORK"' EXIT
trap 'exit 130' INT TERM

pass() { tap_n=$((tap_n + 1)); echo "ok $tap_n - $*"; }
fail() { tap_n=$((tap_n + 1)); tap_bad=$((tap_bad + 1)); echo "not ok $tap_n - $*"; }
skip() { tap_n=$((tap_n + 1)); echo "ok $tap_n - $1 # SKIP $2"; }
note() { sed 's/^/# /'; }

install_2015() {
	install -D -m 644 -t "$1/usr/lib/rackstrap" test/data/roles.cfg test/data/templates.cfg
	install -D -m 644 -t "$1/usr/lib/rackstrap/templates" images/common/templates/{docker,network-environment}
}
# Leaves out names that begin with a dot: other tests may still be making those.
copy_cache() (
	mkdir -p "$1"
	cd "${RACKSTRAP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/rackstrap}" &&
		find base blobs -name '.*' -prune -o -print0 | cpio -0 -pdl --quiet "$1"
)

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
	# shellcheck disable=SC2053 # $want is a pattern
	if [ "$rc" = "$status" ] && [[ $got == $want ]]; then
		pass "$what"
	else
		fail "$what"
		printf '# exit %s, expected %s\n# got:      %s\n# expected: %s\n' "$rc" "$status" "$got" "$want"
		return 1
	fi
}

quiet() {
	local what=$1
	shift
	"$@" >"$WORK/out" 2>&1
	if [ ! -s "$WORK/out" ]; then
		pass "$what"
	else
		fail "$what"
		note <"$WORK/out"
	fi
}

is_long() { [ -n "${TEST_LONG:-}" ]; }

bail() { fail "$*"; finish; }

finish() {
	echo "1..$tap_n"
	[ $tap_bad -eq 0 ]
	exit
}
