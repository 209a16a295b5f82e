#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Customize hook of mmdebstrap(1), with the tree's folder as $1. mmdebstrap's variant
# "custom" installs nothing itself: this installs the recipe's packages as mmdebstrap
# would, with the apt of this machine and the dpkg in the tree.
set -e
packages='@packages@'
if [ -n "$packages" ]; then
	# shellcheck disable=SC2086 # a list of words
	APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get --yes \
		-o Dir::Bin::dpkg=env -o DPkg::Options::=--unset=TMPDIR \
		-o DPkg::Options::=dpkg -o "DPkg::Chroot-Directory=$1" \
		install $packages
fi
