# SPDX-License-Identifier: Apache-2.0
#
# Sourced after test/tap.sh by the tests that run the documents of docs/: installs rackstrap into
# $WORK, for names of recipes, and goes to a new folder with an ssh key in its HOME.
# shellcheck shell=bash
unset SOURCE_DATE_EPOCH RACKSTRAP_MIRROR MAKEFLAGS MAKELEVEL
export RACKSTRAP_CACHE=${RACKSTRAP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/rackstrap}
make -s O="$ABS_O" install DESTDIR="$WORK/installed" prefix=/usr || bail "make install failed"
export PATH=$WORK/installed/usr/bin:$PATH HOME=$WORK/home
mkdir -p "$HOME/.ssh" "$WORK/reader"
ssh-keygen -q -t ed25519 -N '' -C reader -f "$HOME/.ssh/id_ed25519" </dev/null
cd "$WORK/reader" || bail "no $WORK"
