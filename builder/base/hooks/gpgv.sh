#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# gpgv for apt (APT::Key::GPGVCommand) where the recipe's base says 'archived'. gpgv's
# status lines reach apt without the mark that the key has expired since: EXPKEYSIG
# becomes GOODSIG. The signature itself is good then; a bad one is reported as BADSIG or
# ERRSIG. Status lines about a revoked key are passed on unchanged.
fd=3
was=
for arg; do
	[ "$was" != --status-fd ] || fd=$arg
	was=$arg
done
said=
eval "said=\$(gpgv \"\$@\" $fd>&1 >&2)"
rc=$?
case $said in
*KEYREVOKED*) ;;
*) said=$(echo "$said" | sed 's/^\[GNUPG:\] EXPKEYSIG /[GNUPG:] GOODSIG /') ;;
esac
eval "echo \"\$said\" >&$fd"
exit $rc
