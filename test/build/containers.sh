#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Container images from a registry and from every kind of `docker save` are converted into the
# archive that Docker 1.7 and later versions load; the archive is read as they read it
# (containers.py) and by skopeo.
. "$(dirname "$0")/../tap.sh"
tool=$ABS_O/test/tools/convert-container
[ -x "$tool" ] || bail "no $tool: make tests-built"
command -v skopeo >/dev/null || bail "no skopeo: make deps"
export TMPDIR=$WORK/tmp RACKSTRAP_CACHE=$WORK/cache
mkdir "$TMPDIR"
D=$WORK/images
PY=$TOP/test/build/containers.py
python3 "$PY" make "$D" || bail "no images"
one='' two='' oci='' listed='' id='' config='' unpacked='' # containers.py sets them
eval "$(cat "$D/facts")"
sum_new='' sum_linked='' sum_late='' sum_oci='' id_new='' id_old='' config_new=''
python3 "$PY" serve "$D" "$WORK/port" &
registry=$!
tap_cleanup() { kill "$registry" 2>/dev/null; }
for _ in $(seq 1000); do [ -s "$WORK/port" ] && break; sleep 0.1; done
at=127.0.0.1:$(cat "$WORK/port")
mkdir -p "$WORK/home/.config/containers"
printf '[[registry]]\nlocation = "%s"\ninsecure = true\n' "$at" >"$WORK/home/.config/containers/registries.conf"
export HOME=$WORK/home

convert() { # SOURCE DIGEST: writes $WORK/out.tar, and the output to $WORK/said
	"$tool" "$1" team/one:v1 "$2" "$WORK/out.tar" >"$WORK/said"
}
loads() { # SOURCE DIGEST: converts, and checks that Docker would load it under the printed ids
	convert "$@" && python3 "$PY" load "$WORK/out.tar" team/one v1 >"$WORK/loaded" &&
		[ "$(tail -n 3 "$WORK/said" | head -n 2 | tr '\n' ' ')" = "$(cat "$WORK/loaded") " ] &&
		[ "$(tail -n 1 "$WORK/said")" = "$(sha256sum <"$WORK/out.tar" | cut -d' ' -f1)" ]
}
said() { sed -n "$(($(wc -l <"$WORK/said") - 3 + $1))p" "$WORK/said"; }

for f in old new linked late oci; do
	check "$f.tar is converted" loads "$D/$f.tar" -
	eval "sum_$f=$(said 3) id_$f=$(said 1) config_$f=$(said 2)"
done
check "an archive that is compressed as a whole is converted" loads "$D/late.tar.gz" -
for f in layout.tar layout-{tag,name,list,late}.tar layout-gz.tar.gz; do
	check "$f, an archive of an OCI layout, is converted" loads "$D/$f" -
	check "it makes the same archive" test "$(said 3)" = "$sum_new"
done
check "an OCI archive that skopeo makes is converted" sh -c \
	"skopeo copy --quiet docker-archive:'$D/linked.tar' 'oci-archive:$WORK/oci.tar:v1' && '$tool' '$WORK/oci.tar' team/one:v1 - '$WORK/out.tar' | tail -n 2 | head -n 1 | grep -q ."
for f in layout layout-late layout-list; do
	check "$f.tar is converted for its manifest's digest" loads "$D/$f.tar" "$oci"
done
check "layout-list.tar is converted for its list's digest" loads "$D/layout-list.tar" "$listed"
check "an image of Docker 1.7 keeps its id" test "$id_old" = "$id"
check "an image of a later Docker keeps its configuration" test "$config_new" = "$config"
check "the same image makes the same archive, whatever it came from" test \
	"$sum_new $sum_new $sum_new" = "$sum_linked $sum_late $sum_oci"
check "another image has another id" test "$id_old" != "$id_new"
check "skopeo reads the archive" skopeo inspect "docker-archive:$WORK/out.tar"

check "an image of schema 2 is fetched by tag" loads "docker://$at/team/two:v1" "$two"
fetched=$(head -n 1 "$WORK/said")
check "it makes the same archive as docker save" test "$(said 3)" = "$sum_new"
check "an image of schema 2 is fetched by digest, with the same bytes" sh -c \
	"'$tool' docker://$at/team/two@$two team/one:v1 $two $WORK/out.tar | head -n 1 | grep -qx $fetched"
check "a signed image of schema 1 is fetched by digest" loads "docker://$at/team/one@$one" "$one"
check "it keeps its id" test "$(said 1)" = "$id"
check "a list of images is fetched by tag" loads "docker://$at/team/many:v1" -
refuse "an image that does not exist is refused" 1 "docker://$at/team/no:v1: skopeo exited with *" \
	"$tool" "docker://$at/team/no:v1" team/one:v1 - "$WORK/out.tar"
no=sha256:$(printf '0%.0s' $(seq 64))
refuse "a manifest with another digest is refused" 1 "image: manifest.json is $two, expected $no" \
	"$tool" "docker://$at/team/two:v1" team/one:v1 "$no" "$WORK/out.tar"

# The tool is killed while skopeo runs: the folder of the pieces is beside the output file.
mkdir "$WORK/slow"
printf '#!/bin/sh\ndir=${*##*dir:}\n: >"$dir/piece"\n: >"%s/began"\nexec sleep 30\n' "$WORK" >"$WORK/slow/skopeo"
chmod +x "$WORK/slow/skopeo"
PATH=$WORK/slow:$PATH "$tool" "docker://$at/team/two:v1" team/one:v1 - "$WORK/out.tar" 2>/dev/null &
for _ in $(seq 2000); do [ ! -e "$WORK/began" ] || break; sleep 0.05; done
kill -KILL $!
wait $! 2>/dev/null
one_folder() { [[ $(ls "$TMPDIR") == fetched*fetched.image.rackstrap-???????????????? ]]; }
check "a killed fetch leaves one folder" one_folder
check "the next fetch succeeds" loads "docker://$at/team/two:v1" "$two"
check "the next command succeeds" "$RACKSTRAP" cache list
check "the next command removes the folder" test "$(ls "$TMPDIR")" = fetched

for f in new old; do
	refuse "$f.tar is refused for a registry's digest" 1 \
		"image: is an archive of docker save, which has no manifest of the digest $two: fetch it from a registry, or give the recipe url and sha256 of the archive in place of digest" \
		"$tool" "$D/$f.tar" team/one:v1 "$two" "$WORK/out.tar"
done

bad() { # NAME MESSAGE
	refuse "bad-$1.tar is refused" 1 "$2" "$tool" "$D/bad-$1.tar" team/one:v1 - "$WORK/out.tar"
}
bad layer "image: *blobs/sha256/*"
bad diff "image: layer *.tar is sha256:* uncompressed, expected *"
bad config "image: *.json is sha256:*"
bad missing "image: has no member '*.tar'"
bad name "image: has no image team/one:v1"
bad id "image: repositories: '../../etc' is not 64 hexadecimal digits"
bad loop "image: layer * is its own ancestor"
bad layout-name "image: has no image team/one:v1"
bad layout-arch "image: has no image for linux/amd64"
bad layout-blob "image: has no member 'blobs/sha256/*'"
bad layout-digest "image: index.json: 'sha256:../../x' is not sha256:64 hexadecimal digits"
bad layout-index "image: blobs/sha256/* is sha256:*"
bad layout-config "image: has no member 'blobs/sha256/$config'"
bad layout-deep "image: index.json: more than 4 indexes in one another: refused"
bad nothing "image: is no archive of an image: it has neither manifest.json nor index.json nor repositories"
refuse "an OCI archive with another manifest is refused" 1 "image: its manifest is $oci, expected $two" \
	"$tool" "$D/layout.tar" team/one:v1 "$two" "$WORK/out.tar"
bad html "image: Unrecognized archive format"

# Bombs: nothing of what they would unpack to is left, and memory and disk are not filled.
bomb() { # NAME MESSAGE
	refuse "bad-$1 is refused" 1 "$2" "$ABS_O/test/tools/measure" --within 262144 -- "$tool" "$D/bad-$1" team/one:v1 - "$WORK/out.tar" 16M
}
over="unpacks to more than the limit of 16.0 MiB: refused (key 'limit' of the container raises the limit)"
bomb layers.tar "image: layer l2: $over"
bomb same.tar "image: layer l: $over"
bomb whole.tar.gz "image: $over"
bomb twice.tar "image: layer l0 is compressed more than once (gzip): refused"
bomb text.tar "image: manifest.json: has more than 2 MiB: refused"
bomb values.tar "image: has no image team/one:v1"
bomb texts.tar "image: */json: has more than 16 MiB with those that were read before: refused"
check "an archive that is compressed as a whole is decompressed once" \
	"$tool" "$D/whole.tar.gz" team/one:v1 - "$WORK/out.tar" "$unpacked"
refuse "a byte more than the limit is refused" 1 "image: layer l0: unpacks to more than the limit of *" \
	"$tool" "$D/whole.tar.gz" team/one:v1 - "$WORK/out.tar" $((unpacked - 1))
refuse "an endless layer of a registry is refused" 1 \
	"docker://$at/team/endless:v1: its image: has more than the limit of 16.0 MiB: refused" \
	"$tool" "docker://$at/team/endless:v1" team/one:v1 - "$WORK/out.tar" 16M

# On the host: `firstboot containers`, with a docker that keeps its images in a file and fails the
# first command.
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
"load -i") cat "\$3" >$WORK/docker.loaded; cat $WORK/docker.loads >>$WORK/docker.has ;;
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
on_host() { # WHAT-DOCKER-HAS WHAT-LOAD-BRINGS [SECONDS]: with SECONDS, Docker answers at once
	echo -n "${3:+up$'\n'}" >"$WORK/docker.log"
	printf '%s' "$1" >"$WORK/docker.has"
	echo "$2" >"$WORK/docker.loads"
	PATH=$WORK/bin:$PATH "$ABS_O/firstboot" --root="$R" --timeout="${3:-300}" containers
}
loaded() { [ "$(grep -c '^load -i ' "$WORK/docker.log")" = "$1" ]; }
check "a container is loaded into Docker 1.7 when it answers" on_host '' "team/one:v1 $(said 1)"
check "docker load ran once" loaded 1
check "docker load read the archive" cmp "$WORK/docker.loaded" "$R/usr/lib/rackstrap/containers/a.tar"
check "a container is loaded into a later Docker, which has another id" on_host '' "team/one:v1 sha256:$(said 2)"
check "a container that Docker has is accepted" on_host "team/one:v1 $(said 1)
" ''
check "docker load did not run" loaded 0
check "a container that Docker has under the later id is accepted" on_host "team/one:v1 sha256:$(said 2)
" ''
check "docker load did not run" loaded 0
refuse "another image after docker load is refused" 1 \
	"firstboot: container 'team/one:v1': docker did not load the image with the id $(said 1)" \
	on_host '' "team/one:v1 $id_new" 2
echo >>"$R/usr/lib/rackstrap/containers/a.tar"
refuse "a damaged archive is refused" 1 \
	"firstboot: container 'team/one:v1': /usr/lib/rackstrap/containers/a.tar is damaged: sha256 *, expected $(said 3)" \
	on_host '' "team/one:v1 $(said 1)"
check "docker load did not run" loaded 0
rm "$R/usr/lib/rackstrap/containers.cfg"
check "an image without containers is accepted" on_host '' ''

check "no temporary file is left" test "$(ls "$TMPDIR")" = fetched
finish
