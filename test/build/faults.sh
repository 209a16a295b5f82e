#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Faults around a build: each gives one line and exit status 1, leaves no image, and the next build
# succeeds. mmdebstrap is replaced by a program that prints a small tar, so that a case takes
# seconds.
. "$(dirname "$0")/../tap.sh"

# --- a base, a mirror with one artifact, a recipe -----------------------
mkdir -p "$WORK"/{bin,base/{boot,bin,etc,usr/lib,usr/sbin,var/lib/dpkg},mirror,recipe}
(
	cd "$WORK/base" || exit 1
	head -c 300000 /dev/urandom >boot/vmlinuz-6.1.0-test
	head -c 300000 /dev/urandom >boot/initrd.img-6.1.0-test
	echo 'root:*:19000:0:99999:7:::' >etc/shadow
	chmod 640 etc/shadow
	: >etc/machine-id
	: >var/lib/dpkg/status
	head -c 3000000 /dev/urandom >bin/busybox
)
tar -C "$WORK/base" --owner=0 --group=0 --sort=name -cf "$WORK/base.tar" .
cat >"$WORK/bin/mmdebstrap" <<S
#!/bin/bash
# The last argument that ends in .tar, or standard output, gets the base.
out=
for a; do case \$a in *.tar) out=\$a ;; --version) echo "mmdebstrap 1.3.5"; exit 0 ;; esac; done
[ ! -e $WORK/slow ] || sleep 30
if [ -e $WORK/unreachable ]; then
	echo "W: http://mirror.invalid/debian: Could not resolve 'mirror.invalid'" >&2
	echo "E: apt-get update failed" >&2
	exit 1
fi
echo x >>$WORK/mmdebstrap.runs
if [ -n "\$out" ]; then cat $WORK/base.tar >"\$out"; else cat $WORK/base.tar; fi
S
chmod +x "$WORK/bin/mmdebstrap"
PATH=$WORK/bin:$PATH
head -c 2000000 /dev/urandom >"$WORK/mirror/kubelet"
sum=$(sha256sum <"$WORK/mirror/kubelet" | cut -c1-64)
recipe() { # SHA256 [URL]
	cat >"$WORK/recipe/recipe.cfg" <<S
version = 1;
name = "small";
base : { type = "suite"; suite = "bookworm"; components = [ "main" ]; mirror = "http://mirror.invalid/debian"; packages = [ "systemd" ]; kernel = "linux-image-test"; };
artifacts = ( { name = "kubelet"; url = "${2:-http://files.invalid/kubelet}"; sha256 = "$1"; to = "/usr/local/bin/kubelet"; mode = "0755"; } );
roles = ( { name = "master"; units = [ ]; ready = [ ]; master = true; }, { name = "node"; units = [ ]; ready = [ ]; cbr0 = true; } );
images = [ "pxe" ];
S
}
export RACKSTRAP_CACHE=$WORK/cache
python3 test/httpd.py "$WORK/mirror" "$WORK/port" &
httpd=$!
tap_cleanup() { kill "$httpd" 2>/dev/null; }
for _ in $(seq 50); do [ -s "$WORK/port" ] && break; sleep 0.1; done
MIRROR="http://files.invalid/=http://127.0.0.1:$(cat "$WORK/port")/"
build() { "$RACKSTRAP" build "$WORK/recipe" --out "$WORK/images" --mirror "$MIRROR" "$@"; }
nothing() { [ -z "$(find "$WORK/images" -mindepth 1 -maxdepth 1 ! -name '.*' 2>/dev/null)" ]; }

# --- the cases -------------------------------------------------------------------------
recipe "$sum"
cp -r "$WORK/recipe" "$WORK/small"
refuse "a build into the recipe's own folder is refused" 1 \
	"rackstrap: $WORK/small exists and is not an image: name another folder with --out" \
	"$RACKSTRAP" build "$WORK/small" --out "$WORK" --mirror "$MIRROR"
check "the recipe is kept and nothing is created beside it" test -s "$WORK/small/recipe.cfg" \
	-a ! -e "$WORK/.small.lock" -a ! -e "$WORK/mmdebstrap.runs"

touch "$WORK/unreachable"
refuse "an unreachable mirror fails the build" 1 "rackstrap: *mmdebstrap exited with 1: *apt-get update failed*" build
check "no image is left" nothing
rm "$WORK/unreachable"

recipe "$(printf 'f%.0s' $(seq 64))"
refuse "a wrong digest fails the build" 1 \
	"rackstrap: *http://files.invalid/kubelet: sha256 is $sum, expected ffffffff*" build
check "no image is left" nothing

recipe "$(printf "a%.0s" $(seq 64))" http://files.invalid/absent
refuse "a file that the server does not have fails the build" 1 "rackstrap: *http://files.invalid/absent: *404*" build
recipe "$sum"

mkdir -p "$WORK/few"
for t in env sh bash mmdebstrap python3 cat; do ln -sf "$(command -v $t)" "$WORK/few/$t"; done
refuse "a missing tool fails the build, with the name of its package" 1 "rackstrap: *mksquashfs*package squashfs-tools*" \
	env PATH="$WORK/few" "$RACKSTRAP" build "$WORK/recipe" --out "$WORK/images" --mirror "$MIRROR"
check "no image is left" nothing

touch "$WORK/slow"
mkdir "$WORK/tmp"
elsewhere=(env RACKSTRAP_CACHE="$WORK/cache2" TMPDIR="$WORK/tmp" "$RACKSTRAP" build "$WORK/recipe"
	--mirror "$MIRROR")
"${elsewhere[@]}" --out "$WORK/images" 2>/dev/null >/dev/null &
pid=$!
sleep 2
kill -9 $pid
wait $pid 2>/dev/null
rm "$WORK/slow"
check "a killed build leaves no image" nothing
check "a killed build leaves its folder in TMPDIR" test "$(cd "$WORK/tmp" && echo rackstrap-base.*)" != 'rackstrap-base.*'
check "the next build with the same cache succeeds" "${elsewhere[@]}" --out "$WORK/others"
check "the next build removes that folder" test -z "$(ls "$WORK/tmp")"

if unshare -rm true 2>/dev/null; then
	refuse "a full disk fails the build" 1 "rackstrap: *[Nn]o space left on device*" unshare -rm bash -c "
		mount -t tmpfs -o size=4m none '$WORK/images' 2>/dev/null || { mkdir -p '$WORK/images' && mount -t tmpfs -o size=4m none '$WORK/images'; }
		'$RACKSTRAP' build '$WORK/recipe' --out '$WORK/images' --mirror '$MIRROR' || exit
		exit 99"
else
	skip "a full disk fails the build" "no unprivileged mount namespace here"
fi

check "the next build succeeds" build
check "the digests match SHA256SUMS" sh -c "cd $WORK/images/small && sha256sum -c --strict SHA256SUMS"
check "no temporary folder is left" sh -c "test -z \"\$(ls -A $WORK/images | grep -v -e '^small\$' -e lock)\""
runs=$(wc -l <"$WORK/mmdebstrap.runs")
check "one more build succeeds" build
check "it takes the base from the cache" test "$(wc -l <"$WORK/mmdebstrap.runs")" = "$runs"
check "an offline build succeeds" build --offline
echo "# a version later" >>"$WORK/bin/mmdebstrap"
refuse "an offline build refuses a base that another version of mmdebstrap made" 1 \
	"rackstrap: the base of small is not in the cache, and --offline was given (*)" build --offline
check "a build with the other version of mmdebstrap succeeds" build
check "the base is made again" test "$(wc -l <"$WORK/mmdebstrap.runs")" = $((runs + 1))

# In a namespace that has the boot server's address.
chmod 755 "$WORK"
check "pxe makes a boot tree" "$RACKSTRAP" pxe configs/demo.cfg --image "$WORK/images/small" -o "$WORK/tree" \
	--interface lo --http-port 8123
refuse "serve refuses a port in use" 1 "rackstrap: port 8123/tcp is taken by python3 (pid *)" \
	unshare --user --map-root-user --net --pid --fork --kill-child bash -c "
		ip link set lo up && ip address add 172.25.0.1/24 dev lo || exit 98
		python3 -m http.server --bind 172.25.0.1 8123 >'$WORK/http.log' 2>&1 &
		for _ in \$(seq 50); do (: >/dev/tcp/172.25.0.1/8123) 2>/dev/null && break; sleep 0.1; done
		'$RACKSTRAP' serve '$WORK/tree'"
finish
