#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The files of a rack's secrets: each that cannot be used is one line of `rackstrap check`, and none
# of their bytes is printed.
. "$(dirname "$0")/../tap.sh"
chmod 755 "$WORK"
mkdir "$WORK/keys"

# Writes a rack with the secrets $1 in the cluster group, and $2 in that of its host.
rack() {
	cat >"$WORK/rack.cfg" <<-END
	cluster : {
		name = "demo"; boot_server = "172.25.0.1"; gateway = "172.25.0.1"; master = "master";
		ssh_keys = [ "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDq1F/2X0oTVvX7oP0Zb7dN2gRkU0f1Jx0b2o3a4c5d6 op@desk" ];
		secrets = ( $1 );
	};
	hosts = (
		{ name = "master"; role = "master"; mac = "52:54:00:25:00:10"; address = "172.25.0.10";
		  secrets = ( ${2:-} ); }
	);
	END
}
bytes=Fb3Qx9-nobody-sees-this
key() { # NAME MODE [BYTES]
	printf '%s' "${3-$bytes}" >"$WORK/keys/$1"
	chmod "$2" "$WORK/keys/$1"
}
# Checks the rack; the only complaint is $3 in line $2.
refused() { # 'WHAT' LINE 'COMPLAINT' [STATUS] [RUN AS...]
	local what=$1 want="rackstrap: $WORK/rack.cfg:$2: $3" status=${4:-3} rc=0
	shift 3
	[ $# -eq 0 ] || shift
	timeout 20 "$@" "$RACKSTRAP" check "$WORK/rack.cfg" >"$WORK/out" 2>"$WORK/err" || rc=$?
	[ "$status" = 1 ] || want+=$'\nrackstrap: 1 mistake in 1 file'
	if [ $rc = "$status" ] && [ "$(cat "$WORK/err")" = "$want" ]; then
		pass "$what"
	else
		fail "$what"
		echo "# exit $rc"
		note <"$WORK/err"
	fi
	check "nothing of the file is printed" sh -c "! cat '$WORK/out' '$WORK/err' | grep -qF '$bytes'"
}
passes() {
	check "$1" "$RACKSTRAP" check "$WORK/rack.cfg"
	check "nothing is said about it" test ! -s "$WORK/err"
}

key good 400
rack '{ file = "keys/good"; owner = "munge"; }'
passes "a secret of mode 0400 is right, relative to the folder of the rack file"
chmod 660 "$WORK/keys/good"
passes "so is one that a group may write"
ln -s good "$WORK/keys/link"
rack "{ file = \"$WORK/keys/link\"; }"
passes "so is an absolute path and a symlink"
key most 600 "$(head -c 65536 /dev/zero | tr '\0' x)"
rack '{ file = "keys/most"; }'
passes "so is one of 64 KiB"
for mode in 0644 0604 0602; do
	key open $mode
	rack '{ file = "keys/open"; }'
	refused "a file of mode $mode" 4 "secrets: 'open': $WORK/keys/open is open to all users of this machine (mode $mode): take the rights of others from it (chmod o=)"
done
key large 600 "$(head -c 65537 /dev/zero | tr '\0' x)"
rack '{ file = "keys/large"; }'
refused "a file of more than 64 KiB" 4 "secrets: 'large': $WORK/keys/large has 65537 bytes, at most 65536 are allowed"
key empty 600 ''
rack '{ file = "keys/empty"; }'
refused "an empty file" 4 "secrets: 'empty': $WORK/keys/empty is empty"
mkfifo "$WORK/keys/pipe"
rack '{ file = "keys/pipe"; }'
refused "a pipe that nobody writes to" 4 "secrets: 'pipe': $WORK/keys/pipe is not a regular file"
rack '{ file = "keys"; }'
refused "a folder" 4 "secrets: 'keys': $WORK/keys is not a regular file"
rack '{ file = "keys/absent"; }'
refused "a missing file" 4 "secrets: 'absent': $WORK/keys/absent: No such file or directory: make it, or correct 'file'" 1
rack '' '{ file = "keys/absent"; }'
refused "a missing file of one host" 8 "secrets: 'absent': $WORK/keys/absent: No such file or directory: make it, or correct 'file'" 1
key other 400
as=()
[ "$(id -u)" != 0 ] || as=(setpriv --reuid=65534 --regid=65534 --clear-groups --)
[ ${#as[@]} -gt 0 ] || chmod 000 "$WORK/keys/other"
rack '{ file = "keys/other"; }'
chmod 644 "$WORK/rack.cfg"
refused "a file that this user cannot read" 4 "secrets: 'other': $WORK/keys/other: Permission denied" 1 "${as[@]}"
rack '{ file = "keys/good"; }, { name = "good"; file = "keys/most"; }'
refused "two secrets of one name" 4 "cluster: secrets: 'good' is also the name of the secret in line 4"
rack '{ file = "keys/good"; }' '{ name = "good"; file = "keys/most"; }'
passes "a host's secret may have the name of a cluster's"

rack '{ file = "keys/good"; roles = [ "node" ]; }'
check "a secret that no host gets is accepted" "$RACKSTRAP" check "$WORK/rack.cfg"
check "it is a warning" test "$(cat "$WORK/err")" = "rackstrap: warning: $WORK/rack.cfg:4: no host gets the secret 'good'"

# Two lists in files of their own.
mkdir "$WORK/site"
echo 'secrets = ( { file = "../keys/good"; },' >"$WORK/site/begin.cfg"
echo '{ name = "good"; file = "../keys/most"; } );' >"$WORK/site/end.cfg"
rack ''
sed -i 's|^secrets = .*|@include "site/begin.cfg"\n@include "site/end.cfg"|' "$WORK/rack.cfg"
refuse "two secrets of one name in two files" 3 'rackstrap: 1 mistake in 1 file' "$RACKSTRAP" check "$WORK/rack.cfg"
check "the place of the other has its file" test "$(head -n 1 "$WORK/err")" = \
	"rackstrap: $WORK/site/end.cfg:1: cluster: secrets: 'good' is also the name of the secret in $WORK/site/begin.cfg:1"

# A file that is included names secrets relative to its own folder.
echo 'secrets = ( { file = "../keys/good"; } );' >"$WORK/site/secrets.cfg"
rack ''
sed -i 's|^secrets = .*|@include "site/secrets.cfg"|' "$WORK/rack.cfg"
passes "a secret of an included file is relative to that file's folder"
finish
