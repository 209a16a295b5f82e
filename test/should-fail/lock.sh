#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Inputs that are fetched without an error but lack what the recipe extracts: lock refuses them and
# leaves the lock unchanged; fetch and build refuse them with the same message.
. "$(dirname "$0")/../tap.sh"
unset SOURCE_DATE_EPOCH RACKSTRAP_MIRROR
export RACKSTRAP_CACHE=$WORK/cache
D=$WORK/inputs
R=$WORK/recipe/recipe.cfg
mkdir "$WORK/recipe"
python3 test/build/containers.py make "$D" || bail "no images"
two='' # containers.py sets it
eval "$(cat "$D/facts")"
sum() { sha256sum <"$1" | cut -d' ' -f1; }
zeros=$(printf '0%.0s' $(seq 64))

SUITE='base = { type = "suite"; suite = "bookworm"; components = [ "main" ]; kernel = "k"; };'
recipe() { # TEXT, from line 5 on; BASE on line 4
	printf 'version = 1;\nname = "r";\nimages = [ "pxe" ];\n%s\n%s\n' "${2:-$SUITE}" "$1" >"$R"
	printf '# as it was\nversion = 1;\ninputs = ( );\n' >"$WORK/recipe/recipe.lock"
	cp "$WORK/recipe/recipe.lock" "$WORK/was.lock"
}
# shellcheck disable=SC2086 # FROM is several words or none
lock() { "$RACKSTRAP" lock "$R" --artifacts ${FROM:-}; }
refused() { # WHAT STATUS MESSAGE
		refuse "lock: $1" "$2" "rackstrap: $3" lock
	check "lock: $1: the lock is as it was" cmp "$WORK/recipe/recipe.lock" "$WORK/was.lock"
}
# Checks the refusal of build or fetch, with a lock written by hand.
refused_later() { # COMMAND WHAT URL FILE MESSAGE
	printf 'version = 1;\ninputs = ( { url = "%s"; size = "%s"; sha256 = "%s"; } );\n' \
		"$3" "$(stat -c %s "$4")" "$(sum "$4")" >"$WORK/recipe/recipe.lock"
	# shellcheck disable=SC2086 # FROM is several words or none
	case $1 in
	build) refuse "build: $2" 1 "rackstrap: $5" "$RACKSTRAP" build "$R" --output "$WORK/baked" ${FROM:-} ;;
	fetch) refuse "fetch: $2" 1 "rackstrap: $5" "$RACKSTRAP" fetch "$R" --artifacts ${FROM:-} ;;
	esac
}

# --- containers ------------------------------------------------------------------------
url=docker://docker.io/team/one@$two
for f in new old; do
	FROM="--mirror $url=$D/$f.tar"
	recipe "containers = ( { image = \"team/one:v1\"; digest = \"$two\"; } );"
	what="an archive of docker save for a registry's digest ($f)"
	said="$R:5: container 'team/one:v1': $url: is an archive of docker save, which has no manifest of the digest $two: fetch it from a registry, or give the recipe url and sha256 of the archive in place of digest"
	refused "$what" 1 "$said"
	for command in build fetch; do
		refused_later $command "$what" "$url" "$D/$f.tar" "$said"
	done
done
FROM="--mirror $url=$D/oci.tar"
recipe "containers = ( { image = \"team/one:v1\"; digest = \"$two\"; } );"
refused "another manifest than the recipe's" 1 \
	"$R:5: container 'team/one:v1': $url: manifest.json is sha256:*, expected $two"
FROM=
echo no archive >"$D/text.tar"
python3 - "$D" <<'P'
import io, json, sys, tarfile
d = sys.argv[1]
with tarfile.open(d + "/old.tar") as t, tarfile.open(d + "/arm.tar", "w") as out:
    for m in t:
        data = t.extractfile(m).read()
        if m.name.endswith("/json"):
            data = json.dumps(dict(json.loads(data), architecture="arm64")).encode()
            m.size = len(data)
        out.addfile(m, io.BytesIO(data))
P
while IFS='|' read -r file what said; do
	recipe "containers = ( { image = \"team/one:v1\"; url = \"file://$D/$file\"; } );"
	said="$R:5: container 'team/one:v1': file://$D/$file: $said"
	refused "$what" 1 "$said"
	refused_later build "$what" "file://$D/$file" "$D/$file" "$said"
	recipe "containers = ( { image = \"team/one:v1\"; file = \"$D/$file\"; } );"
	refused "$what, on this machine" 1 "${said/file:\/\//}"
done <<'E'
bad-name.tar|an archive without the image|has no image team/one:v1
text.tar|something else than an archive|Unrecognized archive format
bad-missing.tar|an archive without a layer|has no member '*.tar'
arm.tar|an image for another machine|is an image for linux/arm64; hosts are linux/amd64
E

# --- artifacts -------------------------------------------------------------------------
mkdir "$D/bin"
echo x >"$D/bin/x"
tar -C "$D" -czf "$D/good.tar.gz" bin/x
tar -C "$D" -cPzf "$D/hostile.tar.gz" bin/../bin/x
tar -C "$D" -czf "$D/outer.tar" good.tar.gz text.tar
artifact() { # FILE EXTRACT
	recipe "artifacts = ( { name = \"a\"; url = \"file://$D/$1\"; sha256 = \"$(sum "$D/$1")\"; extract = ( $2 ); } );"
}
member='{ path = "bin/x"; to = "/usr/bin/x"; mode = "0755"; }'
while IFS='|' read -r file extract what said; do
	artifact "$file" "${extract:-$member}"
	said="$R:5: artifact 'a': file://$D/$file: $said"
	refused "$what" 1 "$said"
	refused_later fetch "$what" "file://$D/$file" "$D/$file" "$said"
done <<E
good.tar.gz|{ path = "bin/y"; to = "/y"; mode = "0755"; }|an archive without the member|has no member 'bin/y' ($R:5)
good.tar.gz|{ path = "bin"; to = "/y"; mode = "0755"; }|an archive without that folder|has no member 'bin' ($R:5)
text.tar||something else than an archive|Unrecognized archive format
hostile.tar.gz||an archive that leaves its folder|member 'bin/../bin/x' has '..' in its name: archive refused
outer.tar|{ path = "text.tar"; extract = ( $member ); }|and in an archive|text.tar: Unrecognized archive format
E
artifact outer.tar "{ path = \"good.tar.gz\"; extract = ( $member ); }"
check "lock: an archive in the archive that is right" lock
check "lock: is written" grep -q "sha256 = \"$(sum "$D/outer.tar")\"" "$WORK/recipe/recipe.lock"
recipe "artifacts = ( { name = \"a\"; url = \"file://$D/bin/x\"; to = \"/a\"; mode = \"0644\"; sha256 = \"$(sum "$D/bin/x")\"; },
	{ name = \"b\"; url = \"file://$D/bin/x\"; to = \"/b\"; mode = \"0644\"; sha256 = \"$zeros\"; } );"
refused "two digests for one URL" 1 "file://$D/bin/x: another sha256 is wanted for the same URL ($R:6: artifact 'b')"
# The cache has the file that b would be: that is not what the URL has.
echo y >"$D/bin/y"
sum512() { sha512sum <"$1" | cut -d' ' -f1; }
recipe "artifacts = ( { name = \"y\"; url = \"file://$D/bin/y\"; to = \"/y\"; mode = \"0644\"; sha512 = \"$(sum512 "$D/bin/y")\"; } );"
check "lock: the file that is wanted later" lock
for first in "sha256 = \"$(sum "$D/bin/x")\";" "sha512 = \"$(sum512 "$D/bin/x")\";" ""; do
	for second in "sha256 = \"$(sum "$D/bin/y")\";" "sha512 = \"$(sum512 "$D/bin/y")\";"; do
		recipe "artifacts = ( { name = \"a\"; url = \"file://$D/bin/x\"; to = \"/a\"; mode = \"0644\"; $first },
	{ name = \"b\"; url = \"file://$D/bin/x\"; to = \"/b\"; mode = \"0644\"; $second } );"
		refused "another digest for the same URL, which the cache has (${first%% *}, ${second%% *})" 1 \
			"file://$D/bin/x: another ${second%% *} is wanted for the same URL ($R:6: artifact 'b')"
	done
done
recipe "artifacts = ( { name = \"a\"; url = \"file://$D/bin/x\"; to = \"/a\"; mode = \"0644\"; sha256 = \"$(sum "$D/bin/x")\"; },
	{ name = \"b\"; url = \"file://$D/bin/x\"; to = \"/b\"; mode = \"0644\"; sha512 = \"$(sum512 "$D/bin/x")\"; },
	{ name = \"c\"; url = \"file://$D/bin/x\"; to = \"/c\"; mode = \"0644\"; } );"
check "lock: sha256 and sha512 of one file" lock
recipe "artifacts = ( { name = \"a\"; url = \"file://$D/bin/x\"; to = \"/a\"; mode = \"0644\"; },
	{ name = \"b\"; url = \"file://$D/bin/x\"; to = \"/b\"; mode = \"0644\"; md5 = \"${zeros:0:32}\"; } );"
refused "a weak digest for the same URL" 1 "file://$D/bin/x: md5 is *, expected ${zeros:0:32} ($R:6)"

# --- the base --------------------------------------------------------------------------
qemu-img create -q -f raw "$D/disk.raw" 1M
layer() { # LAYER
	recipe '' "base = { type = \"tar\"; image = \"team/root:v1\"; layer = \"sha256:$1\"; };"
}
url=docker://docker.io/team/root:v1
FROM="--mirror $url=$D/oci.tar"
layer "$zeros"
refused "an image without the layer that is the root" 1 "$R:4: base: $url: tar: has no layer sha256:$zeros"
layer "$(tar -tf "$D/oci.tar" | grep -v json | while read -r l; do tar -xOf "$D/oci.tar" "$l" | gzip -t 2>/dev/null && echo "$l" && break; done)"
check "lock: an image with that layer" lock
FROM=
recipe '' "base = { type = \"tar\"; url = \"file://$D/text.tar\"; };"
refused "something else than a tar" 1 "$R:4: base: file://$D/text.tar: tar: Unrecognized archive format"
qemu-img create -q -f qcow2 -b "$D/disk.raw" -F raw "$D/backed.qcow2"
recipe '' "base = { type = \"disk\"; url = \"file://$D/backed.qcow2\"; };"
refused "a disk that refers to another file" 1 \
	"$R:4: base: file://$D/backed.qcow2: disk: a qcow2 with a backing file: image refused"

# The base that --artifacts leaves in the lock must be the recipe's, too.
recipe ''
cat >>"$WORK/recipe/recipe.lock" <<L
base = { suite = "bookworm"; origin = "Debian"; wanted = [ "other" ]; releases = ( );
	packages = ( { name = "other"; version = "1"; arch = "all"; release = "bookworm";
		path = "pool/o"; size = "1"; sha256 = "$zeros"; } ); };
L
cp "$WORK/recipe/recipe.lock" "$WORK/was.lock"
refused "a base that was locked for other packages" 3 \
	"$R:4: base: package other is no longer in the recipe, but was when the base was locked ($WORK/recipe/recipe.lock:4): run \`rackstrap lock $R\`"
check "nothing is left in the cache but inputs" test -z \
	"$(find "$WORK/cache" -mindepth 1 -maxdepth 1 ! -name apt ! -name files ! -name blobs ! -name partial ! -name lock ! -name known ! -name left ! -name url ! -name base ! -name root ! -name .lock)"
finish
