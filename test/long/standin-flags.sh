#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Checks that the stand-ins accept every flag of their originals and every command line in the
# units, and refuse what the originals refuse, with the same messages.
. "$(dirname "$0")/../tap.sh"
S=$ABS_O/standin
export TMPDIR=$WORK # for the folders that the one-file programs leave when they are killed
KUBE="kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet"
[ -x "$S/kubelet" ] || bail "no stand-ins in $S: make tests-built"

# Sets value to one that a type accepts.
good_value() {
	case $1 in
	bool | version) value=true ;;
	int | uint) value=7 ;;
	float) value=0.5 ;;
	duration) value=1m30.5s ;;
	ip) value=10.1.2.3 ;;
	cidr) value=10.100.0.0/16 ;;
	ip:port) value=10.1.2.3:4001 ;;
	urls) value=http://10.1.2.3:2380,http://10.1.2.4:2380 ;;
	*'|'*) value=${1##*|} ;;
	*) value=word ;;
	esac
}

# Sets value to one that a type refuses, or to nothing.
bad_value() {
	case $1 in
	string | *'|'*) value='' ;; # a list of words has a case of its own
	uint) value=-1 ;;
	ip) value=master ;;
	ip:port) value=master:4001 ;;
	urls) value=10.1.2.3:2380 ;;
	*) value=no-such-value ;;
	esac
}

# Gives a program every flag of LIST with a good value, and --version so that it ends there: all
# of them at once, and one by one when that fails.
takes() { # PROGRAM LIST
	local flag type value all=()
	while read -r flag type; do
		[[ $flag == --* && $flag != --version ]] || continue
		good_value "$type"
		all+=("$flag=$value")
	done <"$2"
	[ ${#all[@]} -gt 0 ] || return 1
	"$S/$1" "${all[@]}" --version >/dev/null 2>"$WORK/all" && return
	for flag in "${all[@]}"; do
		"$S/$1" "$flag" --version >/dev/null 2>"$WORK/err" ||
			{ echo "$flag: $(head -n 1 "$WORK/err")"; return 1; }
	done
	head -n 1 "$WORK/all"
	return 1
}

# Gives a program each flag of LIST with a value of another type.
refuses() { # PROGRAM LIST
	local flag type value rc line
	while read -r flag type; do
		bad_value "$type"
		[[ $flag == --* && $flag != --version && -n $value ]] || continue
		rc=0
		"$S/$1" "$flag=$value" --version >/dev/null 2>"$WORK/err" || rc=$?
		read -r line <"$WORK/err"
		if [ "$rc" -ne 2 ] || [[ $line != 'invalid '* ]]; then
			echo "$flag=$value: exit $rc: $line"
			return 1
		fi
	done <"$2"
}

# Checks the exit status and the first line of standard error of a stand-in. Usage:
# says WHAT STATUS 'first line of standard error' PROGRAM ARGS...
says() {
	local what=$1 status=$2 want=$3 program=$4 rc=0 got
	shift 4
	timeout 20 "$S/$program" "$@" >"$WORK/out" 2>"$WORK/err" </dev/null || rc=$?
	got=$(head -n 1 "$WORK/err")
	if [ $rc = "$status" ] && [ "$got" = "$want" ]; then
		pass "$program: $what"
	else
		fail "$program: $what"
		printf '# exit %s, wanted %s\n# said:   %s\n# wanted: %s\n' $rc "$status" "$got" "$want"
	fi
}

is_empty() { [ -z "$(ls -A "$1")" ]; }
is_static() { ! readelf -lW "$1" | grep -q INTERP; }
names_itself() { "$S/$1" --version | grep -q "rackstrap's stand-in for $1 .*not the real program"; }

for p in $KUBE etcd docker; do
	list=$(echo test/data/flags-"$p"-*.txt)
	check "$p accepts the original's flags" takes "$p" "$list"
	check "$p refuses values of other types" refuses "$p" "$list"
done
for p in $KUBE etcd docker calicoctl calico_kubernetes; do
	check "$p --version says that it is a stand-in" names_itself "$p"
	check "$p is static" is_static "$S/$p"
done

variables() { grep -oh 'RACKSTRAP_STANDIN_[A-Z_]*[A-Z]' "$@" | sort -u; }
check "the README has every variable that the stand-ins read" \
	diff <(variables test/standin/*.c test/standin/common/*.c) <(variables test/standin/README.md)

# --- flags that the originals do not have -------------------------------------------------
for p in $KUBE; do
	says "an unknown flag" 2 "unknown flag: --no-such-flag" "$p" --no-such-flag=1
	says "a one-letter flag" 2 "unknown shorthand flag: 'v' in -v=5" "$p" -v=5
done
says "a flag of a later release" 2 "unknown flag: --legacy-userspace-proxy" \
	kube-proxy --legacy-userspace-proxy=false
says "a flag without its value" 2 "flag needs an argument: --master" kube-proxy --master
says "a bad number" 2 \
	"invalid argument \"80a\" for --port=80a: strconv.ParseInt: parsing \"80a\": invalid syntax" \
	kube-apiserver --port=80a
says "a bad address" 2 \
	"invalid argument \"master\" for --address=master: failed to parse IP: \"master\"" \
	kube-apiserver --address=master
check "kubelet: '_' and '-' are the same in a flag" "$S/kubelet" --api_servers=1.2.3.4:8080 --hostname-override=x --version
refuse "kube-apiserver refuses to start without an etcd" 255 "F*specify either --etcd-servers or --etcd-config" \
	"$S/kube-apiserver" --service-cluster-ip-range=10.100.0.0/16
refuse "kube-apiserver refuses to start without a service range" 255 "F*No --service-cluster-ip-range specified" \
	"$S/kube-apiserver" --etcd_servers=http://127.0.0.1:1

says "an unknown flag" 2 "flag provided but not defined: -etcd-cluster-size" etcd --etcd-cluster-size 3
says "a name where an address must be" 2 \
	"invalid value \"master:4001\" for flag -addr: bad IP in address specification" \
	etcd --addr master:4001
says "a port without an address" 2 \
	"invalid value \":4001\" for flag -addr: bad IP in address specification" etcd --addr :4001
says "an unknown state" 2 \
	"invalid value \"old\" for flag -initial-cluster-state: invalid value" \
	etcd --initial-cluster-state old

# --- calicoctl: commands of 0.4.8 and of later releases -----------------------------------
usage() { # ARGS...: docopt's answer
	local rc=0
	"$S/calicoctl" "$@" >"$WORK/usage" 2>&1 || rc=$?
	[ "$rc" = 1 ] && grep -q '^Usage:$' "$WORK/usage"
}
for args in "" "node" "node --ip=1.2.3.4 --kubernetes" "node --ip=1.2.3.4 --detach" "node --ip" \
	"node stop now" "pool add" "pool add 1.2.3.0/24 --disabled" "pool show --ipv5" \
	"checksystem --libnetwork" "checksystem --fix=1" "bgp-node-mesh maybe" "version" "bgppeer add 1.2.3.4 64512"; do
	# shellcheck disable=SC2086
	check "calicoctl refuses '$args'" usage $args
done

# Checks that a command line is accepted: the program goes on to etcd or Docker, which do not run,
# and reports which.
reaches() { # WHAT ARGS...
	local rc=0 what=$1
	shift
	env ETCD_AUTHORITY=127.0.0.1:1 DOCKER_HOST="unix://$WORK/no.sock" \
		unshare -rn "$S/calicoctl" "$@" >"$WORK/usage" 2>&1 || rc=$?
	[ "$rc" = 1 ] && grep -q "$what" "$WORK/usage"
}
for args in "pool add 10.0.0.0/8 --ipip --nat-outgoing" "pool remove 10.0.0.0/8" "pool show --ipv4" \
	"default-node-as" "default-node-as 64512" "bgppeer add 1.2.3.4 as 64512" "bgppeer show" \
	"node bgppeer add 1.2.3.4 as 64512" "node bgppeer remove 1.2.3.4" "bgp-node-mesh off"; do
	# shellcheck disable=SC2086
	check "calicoctl knows '$args'" reaches "127.0.0.1:1" $args
done
check "calicoctl needs root" sh -c "! setpriv --reuid 65534 --clear-groups '$S/calicoctl' status >/dev/null 2>'$WORK/e' &&
	grep -qx 'This command must be run as root.' '$WORK/e' || [ \$(id -u) != 0 ]"
check "calicoctl refuses an ETCD_AUTHORITY that is a name" sh -c \
	"unshare -rn env ETCD_AUTHORITY=master:4001 '$S/calicoctl' pool show 2>&1 | grep -q 'ETCD_AUTHORITY=master:4001'"

# --- the command lines in the units ---------------------------------------------------------
unit_commands() { # prints the ExecStart of every unit as one line, variables filled in
	local unit
	for unit in images/common/units/*.service; do
		sed -e ':a;/\\$/{N;s/\\\n//;ba}' "$unit" | sed -n 's/^ExecStart=//p'
	done | sed -e 's/\${[A-Z0-9_]*RANGE}/10.100.0.0\/16/g' -e 's/\${[A-Z0-9_]*}/172.25.0.10/g'
}
n=0
while read -r program args; do
	case $(basename "$program") in kube* | etcd) ;; *) continue ;; esac
	n=$((n + 1))
	# shellcheck disable=SC2086
	check "$(basename "$program") takes its unit's command line" "$S/$(basename "$program")" $args --version
done < <(unit_commands)
check "all six units were checked" test $n = 6

# The options from the unit and firstboot are passed to dockerd.
options="--bridge=cbr0 --iptables=false --ip-masq=false"
started=$(sed -e ':a;/\\$/{N;s/\\\n//;ba}' images/common/docker-1.7.0/docker.service |
	sed -n "s/^ExecStart=[^ ]*\(.*\)\$DOCKER_OPTS/\1 $options/p")
echo 'cgroup /sys/fs/cgroup/devices cgroup rw,nosuid,devices 0 0' >"$WORK/devices"
# shellcheck disable=SC2086
check "docker takes its unit's command line" sh -c \
	"RACKSTRAP_STANDIN_DOCKERD=/bin/echo RACKSTRAP_STANDIN_DOCKER_CONFIG='$WORK/docker.json' \
		RACKSTRAP_STANDIN_MOUNTS='$WORK/devices' '$S/docker' $started >'$WORK/docker' &&
	grep -qx -- '--host=fd:// --exec-opt=native.cgroupdriver=cgroupfs --storage-driver=overlay2 $options --config-file=$WORK/docker.json' '$WORK/docker'"
check "docker makes itself dockerd's runtime" python3 - "$WORK/docker.json" "$S/docker" <<'P'
import json, os, sys
assert json.load(open(sys.argv[1])) == {
    "default-runtime": "standin",
    "runtimes": {"standin": {"path": os.path.realpath(sys.argv[2]), "runtimeArgs": ["standin-runc"]}}}
P
for option in --config-file=/x --add-runtime=x=/x --default-runtime=x; do
	refuse "docker refuses $option" 2 "*--version bool" "$S/docker" -d $option
done
refuse "docker refuses options of later releases" 2 "*--version bool" "$S/docker" -d --containerd=/x
for args in "ps" "rm web" "load web.tar" "start" "start -a web" "inspect web"; do
	# shellcheck disable=SC2086
	refuse "docker refuses '$args'" 2 "See '/usr/bin/docker --help'." "$S/docker" $args
done
refuse "docker create refuses options of other commands" 2 "See 'docker create --help'." "$S/docker" create --rm web
refuse "docker create without an image is refused" 1 "See 'docker create --help'." "$S/docker" create --name=web
refuse "docker start fails without a daemon" 1 "Error: failed to start containers: [[]web a b[]]" \
	env DOCKER_HOST="unix://$WORK/no.sock" "$S/docker" start web a b
refuse "docker refuses options that it cannot translate for 20.10" 2 "See '/usr/bin/docker --help'." \
	env RACKSTRAP_STANDIN_MOUNTS="$WORK/devices" "$S/docker" -d --exec-driver=lxc

# --- docker standin-runc: the runtime of that dockerd -----------------------------------------
printf '#!/bin/sh\necho "runc $*"\nexit 7\n' >"$WORK/runc"
chmod 755 "$WORK/runc"
SHIM="--root /r --log $WORK/log.json --log-format json --systemd-cgroup"
# in_etc COMMAND...: with nothing in /etc but a resolv.conf, if there is $WORK/resolv.conf
in_etc() {
	# shellcheck disable=SC2016
	env RACKSTRAP_STANDIN_RUNC="$WORK/runc" unshare -rm sh -c 'mount -t tmpfs none /etc && {
		[ ! -e "$0" ] || cp "$0" /etc; } && exec "$@"' "$WORK/resolv.conf" "$@"
}
passes() { # ARGS...: through to runc, with its exit status
	local rc=0
	in_etc "$S/docker" standin-runc "$@" >"$WORK/out" || rc=$?
	[ "$rc $(cat "$WORK/out")" = "7 runc $*" ] || { echo "exit $rc: $(cat "$WORK/out")"; return 1; }
}
touch "$WORK/resolv.conf"
# shellcheck disable=SC2086
check "standin-runc creates a container where resolv.conf is empty" passes $SHIM create --bundle /b id
rm "$WORK/resolv.conf"
# shellcheck disable=SC2086
refuse "standin-runc refuses where there is no resolv.conf" 1 "open /etc/resolv.conf: no such file or directory" \
	in_etc "$S/docker" standin-runc $SHIM create --bundle /b --pid-file /p id
check "standin-runc writes its log in runc's format" python3 - "$WORK/log.json" <<'P'
import datetime, json, sys
(line,) = open(sys.argv[1])
entry = json.loads(line)
datetime.datetime.strptime(entry.pop("time"), "%Y-%m-%dT%H:%M:%SZ")
assert entry == {"level": "error", "msg": "open /etc/resolv.conf: no such file or directory"}, entry
P
for args in "-root=/r --log=$WORK/log -systemd-cgroup create id" "--log-format text --debug create id" \
	"--root start create id"; do
	# shellcheck disable=SC2086
	refuse "standin-runc finds 'create' in '$args'" 1 "open /etc/resolv.conf: no such file or directory" \
		in_etc "$S/docker" standin-runc $args
done
check "standin-runc writes a log in runc's text format" grep -qx 'time="[^"]*Z" level=error msg="open /etc/resolv.conf: no such file or directory"' "$WORK/log"
for args in "--root create start id" "$SHIM delete --force id" "--version" "" "state create"; do
	# shellcheck disable=SC2086
	check "standin-runc passes '$args' to runc" passes $args
done
rm "$WORK/runc"
# shellcheck disable=SC2086
refuse "standin-runc without runc fails" 1 "$WORK/runc: No such file or directory (the package runc brings it)" \
	in_etc "$S/docker" standin-runc $SHIM kill id 9

# --- the plugin -----------------------------------------------------------------------------
plugin() { env -i "$@"; }
check "the plugin's init requires calicoctl only" plugin CALICOCTL_PATH="$S/calicoctl" "$S/calico_kubernetes" init
refuse "the plugin without CALICOCTL_PATH fails" 1 "CALICOCTL_PATH=/home/vagrant/calicoctl: No such file*" \
	plugin "$S/calico_kubernetes" init
refuse "the plugin refuses an API root that does not end in a slash" 1 \
	"KUBE_API_ROOT=http://1.2.3.4:8080/api/v1: must end with a slash" \
	plugin CALICOCTL_PATH="$S/calicoctl" KUBE_API_ROOT=http://1.2.3.4:8080/api/v1 \
	"$S/calico_kubernetes" setup default pod 0123
refuse "the plugin refuses the guide's wrong API root" 1 "KUBE_API_ROOT=https://1.2.3.4:443/api/v1/: must be http://*" \
	plugin CALICOCTL_PATH="$S/calicoctl" KUBE_API_ROOT=https://1.2.3.4:443/api/v1/ \
	"$S/calico_kubernetes" setup default pod 0123

refuse "the plugin's init refuses a delay that is no whole number" 1 \
	"RACKSTRAP_STANDIN_PLUGIN_S=1.5: must be a whole number from 0 to 3600" \
	plugin CALICOCTL_PATH="$S/calicoctl" RACKSTRAP_STANDIN_PLUGIN_S=1.5 "$S/calico_kubernetes" init
refuse "kubelet refuses a delay that is too long" 255 "*RACKSTRAP_STANDIN_KUBELET_S=3601: must be a whole number from 0 to 3600" \
	env RACKSTRAP_STANDIN_KUBELET_S=3601 "$S/kubelet"

# --- the one-file programs ------------------------------------------------------------------
mkdir "$WORK/tmp"
export CALICOCTL_PATH=$S/calicoctl
onefile() { env TMPDIR="$WORK/tmp" "$@"; }
unpacked() { # NUMBER: so many folders are there, each with something in it
	local n=0 f
	for f in "$WORK"/tmp/_MEI??????/libpython2.7.so.1.0; do [ ! -s "$f" ] || n=$((n + 1)); done
	[ "$n" = "$1" ] || { echo "$n folders, not $1: $(ls "$WORK/tmp")"; return 1; }
}
killed() { # SIGNAL: the plugin's init, once it has unpacked itself
	local n
	n=$(find "$WORK/tmp" -name 'lib*' | wc -l)
	onefile RACKSTRAP_STANDIN_PLUGIN_S=60 "$S/calico_kubernetes" init >"$WORK/out" &
	for _ in $(seq 1000); do grep -q stand-in "$WORK/out" && break; sleep 0.1; done
	kill -"$1" $!
	wait $! 2>/dev/null
	unpacked $((n + 1))
}
check "calicoctl --version exits with 0" onefile "$S/calicoctl" --version
check "the plugin's init exits with 0" onefile "$S/calico_kubernetes" init
refuse "the plugin exits with 1 after an error" 1 "usage: calico *" onefile "$S/calico_kubernetes" teardown
check "no folder of these programs is left" is_empty "$WORK/tmp"
check "the plugin leaves its folder when it is killed" killed KILL
check "the plugin leaves its folder after SIGTERM" killed TERM
timeout -s KILL 0.5 env TMPDIR="$WORK/tmp" ETCD_AUTHORITY=127.0.0.1:1 "$S/calicoctl" standin-sleep >/dev/null 2>&1
check "calicoctl in its container unpacks nothing" unpacked 2
rm -r "$WORK"/tmp/_MEI*
for p in calicoctl calico_kubernetes; do
	refuse "$p on a noexec file system fails" 255 \
		"Error loading Python lib '$WORK/tmp/_MEI*/libpython2.7.so.1.0': *: failed to map segment from shared object: Operation not permitted" \
		unshare -rm sh -c 'mount -t tmpfs -o noexec none "$0" && TMPDIR=$0 exec "$@"' "$WORK/tmp" "$S/$p" --version
	refuse "$p without a writable folder fails" 255 "INTERNAL ERROR: cannot create temporary directory!" \
		unshare -rm sh -c 'for d in /tmp /var/tmp; do mount -t tmpfs -o ro none $d; done; exec env -i "$@"' - \
		"$S/$p" --version
done
check "calicoctl uses the next folder when one is not writable" onefile env TMPDIR="$WORK/none" "$S/calicoctl" --version

# --- requirements of the host ---------------------------------------------------------------------
printf 'cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n' >"$WORK/mounts"
check "kubelet exits 1 on a host with cgroup v2 only" sh -c \
	"RACKSTRAP_STANDIN_MOUNTS='$WORK/mounts' '$S/kubelet' --api_servers=1.2.3.4:8080 2>'$WORK/e'
	[ \$? = 1 ] && tail -n 1 '$WORK/e' | grep -q 'mountpoint for cpu not found\$'"
refuse "docker exits 1 on a host with cgroup v2 only" 1 \
	'time="*" level=fatal msg="Error mounting devices cgroup: mountpoint for devices not found"' \
	env RACKSTRAP_STANDIN_MOUNTS="$WORK/mounts" RACKSTRAP_STANDIN_DOCKERD=/bin/echo "$S/docker" -d
check "kubelet refuses a name without a scheme for an API server" sh -c \
	"'$S/kubelet' --api_servers=master:8080 2>'$WORK/e'
	[ \$? = 255 ] && grep -q 'unsupported protocol scheme \"master\"' '$WORK/e'"
check "kube-proxy exits with 255 without a default route" sh -c \
	"unshare -rn '$S/kube-proxy' --master=http://1.2.3.4:8080 2>'$WORK/e'
	[ \$? = 255 ] && grep -q 'failed to select a host interface: Unable to select an IP.\$' '$WORK/e'"
finish
