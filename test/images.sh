# SPDX-License-Identifier: Apache-2.0
#
# Sourced after test/tap.sh by tests that need an image. Each image is baked once in a run of
# test/run, by the first test that asks for it, and shared; without test/run it is baked by
# every test, so that it is never an older one than the programs in $O.
#
#	bake_image	images/bookworm-vm, into out/bookworm-vm
#	bake_plain	images/plain-vm, into out/plain-vm
#	bake_slurm	images/slurm-vm, into out/slurm-vm
#	bake_strict	bookworm-vm with BIRD and a Docker as strict as 1.7.0, into out/strict
#	bake_media	disk images and an ISO of bookworm-vm, into $MEDIA
#
# They return 0 when the image is there, and write what they do to standard error.
# shellcheck shell=bash disable=SC2034
MEDIA=$ABS_O/test/media
MEDIA_512=$MEDIA/512/bookworm-vm   # for the host of test/qemu/solo.cfg
MEDIA_4096=$MEDIA/4096/bookworm-vm # for the rack configs/demo.cfg, in sectors of 4096 bytes

# Runs COMMAND unless a test of this run has done so. Tests that run at the same time wait. Its
# output is in $ABS_O/test/baked/NAME.log, too.
baked_once() { # NAME COMMAND...
	local done=$ABS_O/test/baked/$1
	shift
	mkdir -p "${done%/*}"
	(
		flock 9
		if [ -z "${TEST_RUN:-}" ] || [ "$(cat "$done" 2>/dev/null)" != "$TEST_RUN" ]; then
			"$@" 2>&1 9>&- | tee "$done.log" >&2
			[ "${PIPESTATUS[0]}" = 0 ] && echo "${TEST_RUN:-}" >"$done"
		fi
	) 9>"$done.lock"
}

bake_image() { baked_once bookworm-vm test/bake images/bookworm-vm; }

bake_plain() { baked_once plain-vm test/bake images/plain-vm; }

bake_slurm() { baked_once slurm-vm test/bake images/slurm-vm; }

# Makes the secret of configs/slurm.cfg, as the Makefile does.
slurm_key() { (umask 077 && head -c 1024 /dev/urandom >"$1"); }

bake_strict() { baked_once strict bake_strict_now; }
bake_strict_now() {
	local recipe=$ABS_O/test/strict/recipe.cfg
	[ -x /usr/sbin/bird ] || { echo "no /usr/sbin/bird: run 'make deps'"; return 1; }
	mkdir -p "${recipe%/*}"
	cat >"$recipe" <<-R
		version = 1;
		include = "$TOP/images/bookworm-vm/recipe.cfg";
		name = "strict";
		summary = "bookworm-vm with BIRD, and a Docker as strict as 1.7.0";
		files = (
			{ to = "/usr/sbin/bird"; source = "/usr/sbin/bird"; mode = "0755"; },
			{ to = "/usr/local/lib/standin/docker"; source = "$ABS_O/standin/docker";
			  mode = "0755"; },
			{ to = "/etc/docker/daemon.json"; source = "daemon.json"; },
			# on a slow machine no unit is given up early
			{ to = "/etc/systemd/system.conf.d/slow.conf";
			  content = "[Manager]\nDefaultTimeoutStartSec=20min\n"; },
			{ to = "/etc/systemd/system/rackstrap-report.service.d/slow.conf";
			  content = "[Service]\nExecStart=\nExecStart=/usr/sbin/firstboot report --wait --timeout=40m\n"; }
		);
	R
	cat >"${recipe%/*}/daemon.json" <<-J
		{ "runtimes": { "standin": { "path": "/usr/local/lib/standin/docker",
			"runtimeArgs": [ "standin-runc" ] } },
		  "default-runtime": "standin" }
	J
	test/bake "$recipe"
}

bake_media() { baked_once media bake_media_now; }
bake_media_now() {
	rm -rf "$MEDIA"
	mkdir -p "$MEDIA"
	test/bake images/bookworm-vm --output "$MEDIA/512" --type pxe --type disk --type iso \
		--format raw --format qcow2 --format zst --host test/qemu/solo.cfg || return
	test/bake images/bookworm-vm --output "$MEDIA/4096" --type disk --sector-size 4096 \
		--rack configs/demo.cfg 2>"$MEDIA/4096.log" || { cat "$MEDIA/4096.log"; return 1; }
}
