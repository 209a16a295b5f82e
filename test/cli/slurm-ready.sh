#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# images/slurm/files/slurm-ready with programs of Slurm that print what a case says: each state
# of a node, what is said at the end, and a state disk that is full.
. "$(dirname "$0")/../tap.sh"
mkdir "$WORK/bin" "$WORK/state" "$WORK/run"
sed "s|^known=.*|known=$WORK/state/answered|; s|^run=.*|run=$WORK/run|" images/slurm/files/slurm-ready >"$WORK/ready"
export NODES DIR=$WORK PATH=$WORK/bin:$PATH
program() { # NAME, its lines on standard input
	{ echo '#!/bin/sh'; cat; } >"$WORK/bin/$1"
	chmod +x "$WORK/bin/$1"
}
program sinfo <<'E2'
cat "$DIR/sinfo"
E2
program srun <<'E2'
while [ "$1" != -w ]; do shift; done
echo "$2" | tr , '\n'
E2
program scontrol </dev/null
# Each wait is one more try: the third ends the script, or does what a case needs.
program sleep <<'E2'
echo >>"$DIR/sleeps"
if [ "$(wc -l <"$DIR/sleeps")" -ge 3 ]; then kill "$PPID"; fi
[ ! -x "$DIR/meanwhile" ] || exec "$DIR/meanwhile"
E2
# Runs the script with the nodes' states.
ready() { # "NODE STATE..."
	NODES=''
	printf '%s\n' "$@" | sed '/^$/d' >"$WORK/sinfo"
	NODES=$(sed 's/ .*//' "$WORK/sinfo" | tr '\n' ' ')
	NODES=${NODES% }
	: >"$WORK/sleeps"
	rc=0
	timeout 20 sh "$WORK/ready" >"$WORK/said" 2>&1 || rc=$?
}
says() { # "what" STATUS "text"
	if [ $rc = "$2" ] && [ "$(cat "$WORK/said")" = "$3" ]; then
		pass "$1"
	else
		fail "$1"
		echo "# exit $rc"
		note <"$WORK/said"
	fi
}
fresh() { rm -rf "$WORK/state" "$WORK/meanwhile"; mkdir "$WORK/state"; }

ready 'node-1 idle' 'node-2 idle'
says "idle nodes get a job" 0 'srun hostname was answered by 2 nodes: node-1 node-2'
check "their names are kept" test "$(tr '\n' ' ' <"$WORK/state/answered")" = 'node-1 node-2 '
for state in 'mix-' 'mix' 'alloc$' 'alloc@' 'comp' 'resv' 'plnd' 'mix+'; do
	fresh
	ready "node-1 $state" 'node-2 idle'
	says "a node that is $state has a job" 0 '1 nodes have jobs: node-1
srun hostname was answered by 1 nodes: node-2'
done
for state in 'idle-' 'idle$' 'idle@' 'idle^'; do
	fresh
	ready "node-1 $state"
	says "a node that is $state gets a job" 0 'srun hostname was answered by 1 nodes: node-1'
done
for state in 'idle*' 'idle~' 'idle#' 'idle%' 'idle!' 'alloc*' 'down' 'unk*'; do
	fresh
	ready 'node-1 idle' "node-2 $state"
	says "a node that is $state does not answer" 143 "node-2 does not answer: its state is $state"
done
fresh
ready 'node-1 alloc' 'node-2 mix-'
says "nodes that all have jobs are counted" 0 '2 nodes have jobs: node-1 node-2'
for state in 'down*' 'drain' 'maint' 'drng@'; do
	ready 'node-1 idle' "node-2 $state"
	says "a node that has answered before may be $state" 0 'srun hostname was answered by 1 nodes: node-1'
done
ready 'node-1 down' 'node-2 down'
says "one must be up" 143 'no compute node is up'
ready ''
says "a rack without compute nodes cannot become ready" 1 'the rack file has no compute node'
fresh
mkdir "$WORK/state/answered.new"
cat >"$WORK/meanwhile" <<'E2'
#!/bin/sh
rmdir "$DIR/state/answered.new"
E2
chmod +x "$WORK/meanwhile"
ready 'node-1 idle'
check "names that cannot be kept are said" grep -q "^$WORK/state/answered cannot be written: .*answered.new" "$WORK/said"
says "the script tries again until they are" 0 "$(head -n 1 "$WORK/said")
srun hostname was answered by 1 nodes: node-1"
check "then they are kept" test "$(cat "$WORK/state/answered")" = node-1
finish
