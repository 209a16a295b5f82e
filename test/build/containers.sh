#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Container images, out of a registry and out of every kind of `docker save`, as the archive
# that Docker 1.7 and later ones load: read again as they read it (containers.py), and by
# skopeo.
. "$(dirname "$0")/../tap.sh"
tool=$ABS_O/test/tools/convert-container
[ -x "$tool" ] || bail "no $tool: make tests-built"
command -v skopeo >/dev/null || bail "no skopeo: make deps"
export TMPDIR=$WORK/tmp
mkdir "$TMPDIR"
D=$WORK/images
PY=$TOP/test/build/containers.py
python3 "$PY" make "$D" || bail "no images"
eval "$(cat "$D/facts")"
python3 "$PY" serve "$D" "$WORK/port" &
registry=$!
tap_cleanup() { kill "$registry" 2>/dev/null; }
for _ in $(seq 100); do [ -s "$WORK/port" ] && break; sleep 0.1; done
at=127.0.0.1:$(cat "$WORK/port")
mkdir -p "$WORK/home/.config/containers"
printf '[[registry]]\nlocation = "%s"\ninsecure = true\n' "$at" >"$WORK/home/.config/containers/registries.conf"
export HOME=$WORK/home

convert() { # SOURCE DIGEST: into $WORK/out.tar, what the tool says into $WORK/said
	"$tool" "$1" team/one:v1 "$2" "$WORK/out.tar" >"$WORK/said"
}
loads() { # SOURCE DIGEST: and Docker would load it under the ids that the tool says
	convert "$@" && python3 "$PY" load "$WORK/out.tar" team/one v1 >"$WORK/loaded" &&
		[ "$(tail -n 3 "$WORK/said" | head -n 2 | tr '\n' ' ')" = "$(cat "$WORK/loaded") " ] &&
		[ "$(tail -n 1 "$WORK/said")" = "$(sha256sum <"$WORK/out.tar" | cut -d' ' -f1)" ]
}
said() { sed -n "$(($(wc -l <"$WORK/said") - 3 + $1))p" "$WORK/said"; }

for f in old new linked late oci; do
	check "$f.tar" loads "$D/$f.tar" -
	eval "sum_$f=$(said 3) id_$f=$(said 1) config_$f=$(said 2)"
done
check "compressed as a whole" loads "$D/late.tar.gz" -
check "an image of 1.7 keeps its id" test "$id_old" = "$id"
check "a later one its configuration" test "$config_new" = "$config"
check "the same image is the same archive, however it came" test \
	"$sum_new $sum_new $sum_new" = "$sum_linked $sum_late $sum_oci"
check "another has another id" test "$id_old" != "$id_new"
check "skopeo reads it" skopeo inspect "docker-archive:$WORK/out.tar"

check "a registry, schema 2, by tag" loads "docker://$at/team/two:v1" "$two"
fetched=$(head -n 1 "$WORK/said")
check "comes to the same as its archive" test "$(said 3)" = "$sum_new"
check "by digest, and what is fetched is the same bytes" sh -c \
	"'$tool' docker://$at/team/two@$two team/one:v1 $two $WORK/out.tar | head -n 1 | grep -qx $fetched"
check "a registry, schema 1, signed, by digest" loads "docker://$at/team/one@$one" "$one"
check "keeps its id" test "$(said 1)" = "$id"
check "a list of images, by tag" loads "docker://$at/team/many:v1" -
refuse "no such image" 1 "docker://$at/team/no:v1: skopeo exited with *" \
	"$tool" "docker://$at/team/no:v1" team/one:v1 - "$WORK/out.tar"
no=sha256:$(printf '0%.0s' $(seq 64))
refuse "another manifest than was said" 1 "image: manifest.json is $two, expected $no" \
	"$tool" "docker://$at/team/two:v1" team/one:v1 "$no" "$WORK/out.tar"

# Killed while skopeo is at it: the folder of the pieces is beside the file that it is for.
mkdir "$WORK/slow"
printf '#!/bin/sh\ndir=${*##*dir:}\n: >"$dir/piece"\n: >"%s/began"\nexec sleep 30\n' "$WORK" >"$WORK/slow/skopeo"
chmod +x "$WORK/slow/skopeo"
PATH=$WORK/slow:$PATH "$tool" "docker://$at/team/two:v1" team/one:v1 - "$WORK/out.tar" 2>/dev/null &
for _ in $(seq 200); do [ ! -e "$WORK/began" ] || break; sleep 0.05; done
kill -KILL $!
wait $! 2>/dev/null
check "what a killed fetch leaves is one folder" test "$(ls "$TMPDIR")" = "$(printf 'fetched\nfetched.image')"
check "the next fetch comes through" loads "docker://$at/team/two:v1" "$two"
check "and leaves none" test "$(ls "$TMPDIR")" = fetched

for f in new old; do
	refuse "a registry's digest is no word about $f.tar" 1 \
		"image: is an archive of docker save, which has no manifest of the digest $two: fetch it from a registry, or give the recipe url and sha256 of the archive in place of digest" \
		"$tool" "$D/$f.tar" team/one:v1 "$two" "$WORK/out.tar"
done

bad() { # NAME MESSAGE
	refuse "bad-$1.tar" 1 "$2" "$tool" "$D/bad-$1.tar" team/one:v1 - "$WORK/out.tar"
}
bad layer "image: *blobs/sha256/*"
bad diff "image: layer *.tar is sha256:* uncompressed, expected *"
bad config "image: *.json is sha256:*"
bad missing "image: has no member '*.tar'"
bad name "image: has no image team/one:v1"
bad id "image: repositories: '../../etc' is not 64 hexadecimal digits"
bad loop "image: layer * is its own ancestor"
bad html "image: Unrecognized archive format"
# On the host: `firstboot containers`, with a docker that keeps its images in a file and
# begins to answer after a moment.
R=$WORK/root
mkdir -p "$R/usr/lib/rackstrap/containers" "$WORK/bin"
cat >"$WORK/bin/docker" <<S
#!/bin/bash
echo "\$*" >>$WORK/docker.log
[ \$(wc -l <$WORK/docker.log) -gt 1 ] || { echo "Cannot connect to the Docker daemon." >&2; exit 1; }
case "\$1 \$2" in
"inspect --format={{.Id}}")
	grep "^\$3 " $WORK/docker.has | cut -d' ' -f2 | grep . ||
		{ echo "Error: No such image or container: \$3" >&2; exit 1; } ;;
"load -i") cat $WORK/docker.loads >>$WORK/docker.has ;;
*) exit 9 ;;
esac
S
chmod +x "$WORK/bin/docker"
convert "$D/old.tar" -
cp "$WORK/out.tar" "$R/usr/lib/rackstrap/containers/a.tar"
cat >"$R/usr/lib/rackstrap/containers.cfg" <<C
containers = ( { image = "team/one:v1"; file = "/usr/lib/rackstrap/containers/a.tar";
	sha256 = "$(said 3)"; id = "$(said 1)"; config = "$(said 2)"; } );
C
on_host() { # WHAT-DOCKER-HAS WHAT-LOAD-BRINGS
	: >"$WORK/docker.log"
	printf '%s' "$1" >"$WORK/docker.has"
	echo "$2" >"$WORK/docker.loads"
	PATH=$WORK/bin:$PATH "$ABS_O/firstboot" --root="$R" --timeout="${3:-20}" containers
}
loaded() { [ "$(grep -c '^load -i ' "$WORK/docker.log")" = "$1" ]; }
check "Docker 1.7 gets what it has not, once it answers" on_host '' "team/one:v1 $(said 1)"
check "by docker load, once" loaded 1
check "a later Docker, with its own id" on_host '' "team/one:v1 sha256:$(said 2)"
check "what is there is left alone" on_host "team/one:v1 $(said 1)
" ''
check "without docker load" loaded 0
check "what is there under the later id, too" on_host "team/one:v1 sha256:$(said 2)
" ''
check "without docker load" loaded 0
refuse "what was loaded has to be the image" 1 \
	"firstboot: container 'team/one:v1': docker did not load the image with the id $(said 1)" \
	on_host '' "team/one:v1 $id_new" 2
echo >>"$R/usr/lib/rackstrap/containers/a.tar"
refuse "an archive that is damaged is not loaded" 1 \
	"firstboot: container 'team/one:v1': /usr/lib/rackstrap/containers/a.tar is damaged: sha256 *, expected $(said 3)" \
	on_host '' "team/one:v1 $(said 1)"
check "without docker load" loaded 0
rm "$R/usr/lib/rackstrap/containers.cfg"
check "nothing baked in is nothing to do" on_host '' ''

check "nothing is left behind" test "$(ls "$TMPDIR")" = fetched
finish
