#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The documents of docs/ as their readers would follow them: files are written, settings changed and
# commands run; builds are dry runs, and racks are checked. The boot server of docs/first-rack.md
# runs in a network namespace. test/docs.py says what stands for which command;
# test/long/docs.sh builds and boots.
. "$(dirname "$0")/../tap.sh"
. test/docs.sh

for document in "$TOP"/docs/*.md; do
	mkdir -p "$WORK/reader/${document##*/}"
	cd "$WORK/reader/${document##*/}" || bail "no $WORK"
	echo "# ${document#"$TOP/"}"
	case $document in
	*/first-rack.md)
		unshare --user --map-root-user --net --mount sh -c 'mount -t tmpfs tmpfs /srv && ip link set lo up &&
			ip link add eno2 type veth peer name machines && ip link set machines up &&
			exec "$@"' sh "$TOP/test/docs.py" "$document" quick >tap 2>&1
		;;
	*) "$TOP/test/docs.py" "$document" quick >tap 2>&1 ;;
	esac
	status=$?
	sed 's/^/# /' tap
	check "every command, file and message of ${document##*/} is right" \
		sh -c "test $status = 0 && grep -q '^1\.\.[1-9]' tap && ! grep '^not ok' -A 20 tap"
done
"$TOP/test/docs.py" rows | sort -u >"$WORK/rows"
sort -u "$WORK"/reader/*/used >"$WORK/used"
check "every row of test/docs.py is used" diff "$WORK/rows" "$WORK/used"

# The test finds what it is for.
cd "$WORK/reader" || bail "no $WORK"
wrong() { # WHAT MESSAGE < DOCUMENT
	cat >wrong.md
	"$TOP/test/docs.py" wrong.md quick >tap 2>&1
	check "reported: $1" grep -qxF "# $2" tap || note <tap
}
wrong "a command without a row" "COMMANDS in test/docs.py has no row for it" <<-'END'
	```console
	$ rackstrap frobnicate
	```
END
wrong "an option that a command does not have" "--help does not have --imge" <<-'END'
	```console
	$ rackstrap rack x.cfg --imge out/plain
	```
END
wrong "an option in the text" "in no --help" <<<"Use \`--proxy-dcp\`."
wrong "another output" "not printed: frobnicate" <<-'END'
	```console
	$ rackstrap --version
	frobnicate
	```
END
wrong "another exit status" "exit status 0, not 3:" <<-'END'
	<!-- exits 3 -->
	```console
	$ rackstrap --version
	```
END
wrong "a message that no program prints" "MESSAGES in test/docs.py has no row for it" <<-'END'
	<!-- messages -->
	```
	rackstrap: the machine is unwell
	```
END
wrong "a message in other words" "MESSAGES in test/docs.py has no row for it" <<-'END'
	<!-- messages -->
	```
	rackstrap: server-1: has loaded its root image, 116 MB in 1.2 s
	```
END
wrong "a block of an unknown kind" "ini" <<-'END'
	```ini
	[Unit]
	```
END
wrong "a link to nowhere" "no such file" <<<"[x](nowhere.md)"
finish
