#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Keys, ids and words of a feature stand in its own files only: see test/lint/features.py.
. "$(dirname "$0")/../tap.sh"

quiet "what belongs to a feature is in its files" test/lint/features.py

# The check itself finds what it is for.
copy=$WORK/copy
mkdir "$copy"
git ls-files -z firstboot pxe builder lib test/lint/features.py | cpio -0pd --quiet "$copy"
git -C "$copy" init -q && git -C "$copy" add -A
said() { (cd "$copy" && git add -A && test/lint/features.py) >"$WORK/said" && grep -qF "$1" "$WORK/said"; }
added() { # TEXT WANT
	printf '%s\n' "$1" >"$copy/pxe/new.c"
	said "pxe/new.c:1: $2"
}
check "a key as a string is found" added 'x("pod_network");' "the key 'pod_network' belongs to a feature's file"
check "the id of a key is found" added 'x(HOST_MASTER);' "the key 'HOST_MASTER' belongs to a feature's file"
check "the id of a feature is found" added 'x(FEATURE_PODS);' "the feature 'FEATURE_PODS' belongs to a feature's file"
check "a value of a feature is found" added 'x(h->f.pods);' "a feature's value 'f.pods' belongs to a feature's file"
check "a word within a name is found" added 'docker_start();' "the word 'docker' belongs to a feature's file"
check "a comparison of names is found" added 'x(feature_find(name));' "asks for a feature by its name"
check "a comment may have the words" sh -c "cd '$copy' && printf '/* docker and\n * NAT */\n' >pxe/new.c && ! test/lint/features.py | grep ."
mv "$copy/firstboot/model/feature/pods.c" "$copy/firstboot/model/feature/pod.c"
check "a feature without a file of its name is found" said "pods.c:1: does not exist, but there is a feature 'pods'"
check "a file that is no feature's is found" said "firstboot/model/feature/pod.c:1: is named after no feature"
finish
