#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# test/run itself: its counts and exit status for programs that end early, print no plan or
# are killed.
. "$(dirname "$0")/../tap.sh"
RUN=$TOP/test/run
export O=$WORK/build TMPDIR=$WORK

# program NAME TEXT: makes a test of it.
program() {
	printf '#!/bin/bash\n%s\n' "$2" >"$WORK/$1"
	chmod +x "$WORK/$1"
}
program good 'echo "ok 1 - a"; echo 1..1'
cp "$WORK/good" "$WORK/fine"
program two 'echo 1..1; echo "ok 1 - a"; echo 1..2; echo "ok 1 - b"; echo "ok 2 - c # SKIP why"'
program bad 'echo "not ok 1 - a"; echo 1..1'
program silent ':'
program nothing 'echo 1..0'
program short 'echo 1..3; echo "ok 1 - a"; echo "ok 2 - b"'
program planless 'echo "ok 1 - a"; exit 0'
program killed 'echo 1..1; echo "ok 1 - a"; kill -KILL $$'
program status 'echo 1..1; echo "ok 1 - a"; exit 3'
program bytes 'printf "ok 1 - \377\0 # SKIP why\n1..1\n"'

# counts WHAT STATUS 'LAST LINE' WORD...
counts() {
	local what=$1 want=$2 line=$3 rc=0
	shift 3
	(cd "$WORK" && "$RUN" "$@") >"$WORK/said" 2>"$WORK/complaints" || rc=$?
	if [ "$rc" = "$want" ] && [ "$(tail -n 1 "$WORK/said")" = "$line" ]; then
		pass "$what: $line"
	else
		fail "$what: $line"
		printf '# exit %s, wanted %s and: %s\n' "$rc" "$want" "$line"
		note <"$WORK/said"
		note <"$WORK/complaints"
	fi
}
# says WHAT TEXT: the last run's output has the text.
says() { check "$1" grep -qF -- "$2" "$WORK/said"; }

counts "a good test" 0 "1 passed, 0 failed, 0 skipped" "$WORK/good"
counts "two plans in one test" 0 "2 passed, 0 failed, 1 skipped" "$WORK/two"
counts "a bad test" 1 "0 passed, 1 failed, 0 skipped" "$WORK/bad"
counts "a program that prints nothing" 1 "0 passed, 1 failed, 0 skipped" "$WORK/silent"
counts "a plan of nothing" 1 "0 passed, 1 failed, 0 skipped" "$WORK/nothing"
counts "fewer points than planned" 1 "2 passed, 1 failed, 0 skipped" "$WORK/short"
says "the results and the plan are shown" "ended with exit status 0 after 2 of 3 points"
counts "no plan" 1 "1 passed, 1 failed, 0 skipped" "$WORK/planless"
counts "a killed test" 1 "1 passed, 1 failed, 0 skipped" "$WORK/killed"
says "the status of a killed test is shown" "ended with exit status 137 after 1 of 1 points"
counts "a status without a failed point" 1 "1 passed, 1 failed, 0 skipped" "$WORK/status"
says "the status is shown" "ended with exit status 3 after 1 of 1 points"
counts "output that is no text" 0 "0 passed, 0 failed, 1 skipped" "$WORK/bytes"
check "nothing is complained about" test ! -s "$WORK/complaints"
says "the skipped point is shown" "# SKIP why"
counts "a missing program" 1 "1 passed, 1 failed, 0 skipped" -j "$WORK/none" "$WORK/good"
counts "groups" 1 "4 passed, 1 failed, 0 skipped" -j "$WORK/good" "$WORK/fine" -- "$WORK/bad" -- \
	-j "$WORK/good" -- "$WORK/good"

counts "two tests on each processor" 0 "2 passed, 0 failed, 0 skipped" -j2 "$WORK/good" "$WORK/fine"

program waits 'trap "echo stopped >>\"$0.log\"; exit 1" TERM; echo started >"$0.log"; sleep 600 & echo $! >"$0.child"; wait'
program after 'echo "ok 1 - a"; echo 1..1'
ended() { grep -qx stopped "$WORK/waits.log" && ! kill -0 "$(cat "$WORK/waits.child")"; }
stopped() {
	"$RUN" "$WORK/waits" "$WORK/after" &
	local pid=$! rc=0
	for _ in $(seq 3000); do [ ! -s "$WORK/waits.child" ] || break; sleep 0.1; done
	kill "$pid" && wait "$pid" || rc=$?
	[ "$rc" = 143 ] || return
	for _ in $(seq 3000); do ! ended || return 0; sleep 0.1; done
	return 1
}
check "SIGTERM ends a running test and its children" stopped
check "no test is started after SIGTERM" test ! -e "$O/test/log/${WORK//\//-}-after.log"

for words in '' -j -- '-j -- -j'; do
	# shellcheck disable=SC2086 # no test, in several words
	refuse "no test: '$words'" 2 'test/run: no tests given' "$RUN" $words
done
finish
