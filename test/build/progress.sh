#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A build shows a line when a long stage begins, with the log of the base, which is written while
# its programs run, and on a terminal a line that moves; -v and -q. With the recipe of test/small.sh,
# whose mmdebstrap prints what dpkg does, and waits after each line until the test goes on.
. "$(dirname "$0")/../tap.sh"
. test/small.sh
tap_cleanup() { stop_site; }
# In the sandbox it has no other file of the test than itself: its own time tells how far it may go.
cat >"$WORK/lines" <<'S'
step=0
for n in essential kernel 'tool\033[2J'; do
	printf "Unpacking $n (1.0) ...\n" >&2
	step=$((step + 1))
	until [ "$(stat -c %Y "$0")" -ge $step ]; do sleep 0.02; done
done
S
sed -i -e "/^base=/{
r $WORK/lines
N
}" "$WORK/bin/mmdebstrap"
go_on() { touch -d "@$1" "$WORK/bin/mmdebstrap"; } # STEP: until this line was printed
recipe tool
"$RACKSTRAP" lock "$WORK/recipe" "${FROM[@]}" >/dev/null 2>&1 || bail "no lock"
BUILD=("$RACKSTRAP" build "$WORK/recipe" --output "$WORK/images" "${FROM[@]}")

: >"$WORK/said"
go_on 1
"${BUILD[@]}" >"$WORK/results" 2>"$WORK/said" &
pid=$!
log() { sed -n 's/^rackstrap: making the base; the log is //p' "$WORK/said"; }
while ! { log=$(log) && [ -n "$log" ] && grep -qs 'Unpacking kernel' "$log"; }; do
	kill -0 $pid || break
	sleep 0.02
done
check "the log that the line names is written while the base is made" sh -c "! grep -q '^rackstrap: base: made' '$WORK/said'"
go_on 3
wait $pid
check "the build ends well" test $? = 0
check "the whole log is there, without what a terminal obeys" grep -qxF 'Unpacking tool?[2J (1.0) ...' "$log"
check "root.squashfs has a line when it begins" grep -qx 'rackstrap: making root.squashfs' "$WORK/said"
check "without a terminal no line is overwritten" sh -c "! grep -q '$(printf '\r')' '$WORK/said'"

# Runs a command on a terminal. $WORK/screen gets each state of a line as a line of its own.
terminal() {
	TERM=xterm script -qec "$(printf '%q ' "$@")" /dev/null </dev/null >"$WORK/typescript"
	tr '\r' '\n' <"$WORK/typescript" >"$WORK/screen"
}
: >"$WORK/typescript"
go_on 0
terminal "${BUILD[@]}" --refresh &
pid=$!
for step in 1 2 3; do
	for _ in $(seq 1000); do
		! grep -q "package $step of 5" "$WORK/typescript" || break
		sleep 0.1
	done
	sleep 0.2 # a line is shown for 100 ms at least
	go_on $step
done
wait $pid
check "on a terminal the package at work is shown" grep -q 'making the base: package 2 of 5, unpacking kernel' "$WORK/screen"
check "what a terminal obeys is replaced" grep -qF 'package 3 of 5, unpacking tool?[2J' "$WORK/screen"
terminal "${BUILD[@]}" --refresh -q
check "with -q there is no progress on a terminal" sh -c "! grep -q -e making -e rackstrap: '$WORK/screen'"

check "build -q succeeds" "${BUILD[@]}" --quiet
cp "$WORK/out" "$WORK/quiet"
check "it prints nothing but results" test ! -s "$WORK/err"
check "these are the results" diff "$WORK/results" "$WORK/quiet"
check "-q before the command does the same" "$RACKSTRAP" -q "${BUILD[@]:1}"
check "nothing but results again" test ! -s "$WORK/err"
check "build -v succeeds" "${BUILD[@]}" -v --refresh
cp "$WORK/err" "$WORK/said"
check "-v shows the programs" grep -q '^rackstrap: runs: mksquashfs ' "$WORK/said"
check "-v shows what they print" grep -qxF 'rackstrap: mmdebstrap: Unpacking kernel (1.0) ...' "$WORK/said"
refuse "-q and -v exclude each other" 2 "rackstrap: build: options '--verbose' and '--quiet' exclude each other" "${BUILD[@]}" -q -v

deb broken 1.0
publish
recipe tool broken
"$RACKSTRAP" lock "$WORK/recipe" "${FROM[@]}" >/dev/null 2>&1 || bail "no lock"
refuse "an error is printed with -q, and names the log" 1 "rackstrap: mmdebstrap exited with 1: E: a package is broken (the whole log is $RACKSTRAP_CACHE/base/*.log)" \
	"${BUILD[@]}" -q
named=$(sed -n 's/.*log is \(.*\))$/\1/p' "$WORK/err")
check "the log is there" grep -q 'a package is broken' "$named"
finish
