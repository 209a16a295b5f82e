#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# test/run counts as failures the tests whose output or exit status is not that of a success.
. "$(dirname "$0")/../tap.sh"

# Writes a test whose body is TEXT and prints the last line of test/run for it.
counted() { # TEXT
	printf '#!/bin/bash\n%s\n' "$1" >"$WORK/t.sh"
	chmod +x "$WORK/t.sh"
	O=$WORK/o test/run "$WORK/t.sh" 2>/dev/null | tail -n 1
}
counts() { # WHAT 'EXPECTED LINE' TEXT
	check "$1" test "$(counted "$3")" = "$2"
}
counts "a success and a skip" "1 passed, 0 failed, 1 skipped" 'echo "ok 1"; echo "ok 2 # SKIP why"; echo 1..2'
counts "a failure" "0 passed, 1 failed, 0 skipped" 'echo "not ok 1"; echo 1..1; exit 1'
counts "a result is missing" "1 passed, 1 failed, 0 skipped" 'echo "ok 1"; echo 1..2'
counts "a result too many" "2 passed, 1 failed, 0 skipped" 'echo "ok 1"; echo "ok 2"; echo 1..1'
counts "no plan" "1 passed, 1 failed, 0 skipped" 'echo "ok 1"'
counts "no test" "0 passed, 1 failed, 0 skipped" 'echo 1..0'
counts "a non-zero exit status" "1 passed, 1 failed, 0 skipped" 'echo "ok 1"; echo 1..1; exit 3'
counts "a test that is killed" "1 passed, 1 failed, 0 skipped" 'echo "ok 1"; echo 1..1; kill -KILL $$'
counts "an empty line does not count" "1 passed, 0 failed, 0 skipped" 'echo; echo "ok 1"; echo okay; echo 1..1'
counts "two groups, as cmocka prints them" "2 passed, 0 failed, 0 skipped" \
	'echo 1..1; echo "ok 1"; echo 1..1; echo "ok 1"'
finish
