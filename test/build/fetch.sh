#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Downloads from a server with deliberate faults (test/faultd.py): what can be fetched is fetched,
# and nothing else gets into the cache. The commands are `rackstrap lock --artifacts` and
# `rackstrap fetch --artifacts`, with pauses of a millisecond.
. "$(dirname "$0")/../tap.sh"
unset {http,https,all,no}_proxy {HTTP,HTTPS,ALL,NO}_PROXY RACKSTRAP_MIRROR CURL_CA_BUNDLE
export RACKSTRAP_CACHE=$WORK/cache RACKSTRAP_FETCH_PAUSE=1

# --- files, certificates, the server ---------------------------------------------------
mkdir "$WORK/files" "$WORK/recipe"
head -c 3000000 /dev/urandom >"$WORK/files/big"
head -c 3000000 /dev/urandom >"$WORK/files/big.b"
head -c 60000 /dev/urandom >"$WORK/files/small"
head -c 60000 /dev/urandom >"$WORK/files/small.b"
printf '<?xml version="1.0"?>\n<a/>\n' >"$WORK/files/page.xml"
sum() { sha256sum <"$WORK/files/$1" | cut -c1-64; }
certificate() { # FILE NAME
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=$2" -addext "subjectAltName=$2" \
		-keyout "$WORK/$1.key" -out "$WORK/$1.crt" 2>/dev/null
}
certificate right IP:127.0.0.1
certificate wrong DNS:elsewhere.invalid
cat "$WORK/right.crt" "$WORK/wrong.crt" >"$WORK/ca.crt"
python3 test/faultd.py "$WORK/files" "$WORK/port" "$WORK/right.crt" "$WORK/right.key" \
	"$WORK/wrong.crt" "$WORK/wrong.key" >&2 &
faultd=$!
tap_cleanup() { kill "$faultd" 2>/dev/null; }
for _ in $(seq 1000); do [ -s "$WORK/port" ] && break; sleep 0.1; done
{ read -r HTTP; read -r HTTPS; read -r WRONG; } <"$WORK/port" || bail "test/faultd.py did not start"
U=http://127.0.0.1:$HTTP

# --- recipes and commands ----------------------------------------------------------------------------
# Writes a recipe with these artifacts. Usage: recipe URL[=DIGEST]...
recipe() {
	local n=0 a digest
	{
		echo 'version = 1; name = "f"; images = [ "pxe" ];'
		echo 'base = { type = "suite"; suite = "s"; components = [ "c" ]; kernel = "k"; mirror = "http://m.invalid/"; };'
		echo 'artifacts = ('
		for a; do
			n=$((n + 1))
			digest=${a##*=}
			[ "$digest" != "$a" ] || digest=
			[ $n = 1 ] || echo ,
			printf '{ name = "a%d"; url = "%s"; to = "/a%d"; mode = "0644";%s' $n "${a%%=*}" $n "${KEYS:-}"
			case ${#digest} in
			32) printf ' md5 = "%s";' "$digest" ;;
			40) printf ' sha1 = "%s";' "$digest" ;;
			64) printf ' sha256 = "%s";' "$digest" ;;
			128) printf ' sha512 = "%s";' "$digest" ;;
			esac
			[[ $a != *\?* ]] || printf ' public_query = true;'
			printf ' }\n'
		done
		echo ');'
	} >"$WORK/recipe/recipe.cfg"
}
lock() { rm -f "$WORK/recipe/recipe.lock"; "$RACKSTRAP" lock "$WORK/recipe" --artifacts; }
# Writes a lock for the recipe's only artifact. Usage: known SIZE SHA256
known() {
	printf 'version = 1;\ninputs = ( { url = "%s"; size = "%s"; sha256 = "%s"; } );\n' \
		"$(sed -n 's/.* url = "\([^"]*\)".*/\1/p' "$WORK/recipe/recipe.cfg")" "$1" "$2" \
		>"$WORK/recipe/recipe.lock"
}
fetch() { "$RACKSTRAP" fetch "$WORK/recipe" --artifacts; }
fresh() { rm -rf "$RACKSTRAP_CACHE"; }
# Succeeds when the cache has exactly these files. Usage: cached NAME...
cached() {
	local want have
	want=$(for f; do sum "$f"; done | sort -u)
	have=$(find "$RACKSTRAP_CACHE/blobs/sha256" -mindepth 1 -printf '%f\n' 2>/dev/null | sort -u)
	[ "$want" = "$have" ] && (cd "$RACKSTRAP_CACHE/blobs/sha256" &&
		for f in *; do [ "$f" = '*' ] || [ "$(sha256sum <"$f" | cut -c1-64)" = "$f" ] || exit 1; done)
}
# Checks that each URL is fetched with the digest of FILE. Usage: arrives WHAT FILE URL...
arrives() {
	local what=$1 file=$2 u urls=()
	shift 2
	for u; do urls+=("$u=$(sum "$file")"); done
	fresh
	recipe "${urls[@]}"
	check "$what: arrives" lock && check "$what: is right" cached "$file"
}
# Checks that a URL is refused and the cache stays empty. Usage: refused WHAT STATUS MESSAGE URL
refused() {
	fresh
	recipe "$4"
	refuse "$1: is refused" "$2" "$3" lock
	check "$1: left nothing in the cache" cached
}
requests() { grep -c " /$1 " "$WORK/port.log"; }

# --- breaks ----------------------------------------------------------------------------
# shellcheck disable=SC2046 # one word for each URL
arrives "cut at every 10 %" big $(for n in 10 20 30 40 50 60 70 80 90; do echo "$U/cut-$n/big"; done)
check "each was resumed where it was cut" test "$(grep -c ' /cut-[0-9]*/big bytes=[0-9]*- "a"$' "$WORK/port.log")" = 9
arrives "cut after every 10 %, ten times" big "$U/always-10/big"
arrives "reset in the middle" big "$U/reset/big"
arrives "cut, with a date to go by" big "$U/dated/big"
check "it was resumed by a date older than the answer" grep -q '/dated/big bytes=1500000- Mon, 01 Jun 2015' "$WORK/port.log"
arrives "cut, with nothing strong to go by" big "$U/weak/big"
check "it is fetched from the beginning" test "$(grep -c ' /weak/big - -$' "$WORK/port.log")" = 2
arrives "changed while it was cut" big.b "$U/changed/big"
arrives "changed, and the server does not say so" big.b "$U/liar/big"
arrives "changed, and the server ignores If-Range" big.b "$U/deaf/big"
arrives "resumed by less than the rest" big "$U/partly-15/big"
check "each part was resumed where the last ended" test "$(grep -c ' /partly-15/big bytes=' "$WORK/port.log")" = 4
arrives "resumed by less, of nobody knows how much" big "$U/partlystar-15/big"
for kind in partly partlystar; do
	fresh
	recipe "$U/$kind-16/big"
	check "$kind, and nobody has a digest: arrives" lock && check "$kind: is right" cached big
done
refused "resumed a byte at a time" 1 \
	'rackstrap: *partly-0/big: ended at byte 150000[0-9] of 3000000 [(]tried 4 times)' "$U/partly-0/big"
# --- bytes of an earlier process --------------------------------------------------------
# Without a digest nobody would notice that they were damaged since.
broken_off() { # leaves a part of the artifact in the cache, in $part
	fresh
	recipe "$U/sulk/big?$1"
	! lock && part=$(find "$RACKSTRAP_CACHE/partial" -type f ! -name '*.meta') && [ "$(stat -c %s "$part")" -ge 1500000 ]
}
check "a download breaks off" broken_off 1
check "the next lock resumes it" lock && check "resumed by another process: is right" cached big
check "it was resumed" test "$(grep -c '/sulk/big?1 - -$' "$WORK/port.log")" = 1
check "another download breaks off" broken_off 2
printf X | dd of="$part" bs=1 seek=1000 conv=notrunc status=none
check "the next lock does not resume damaged bytes" lock && check "damaged and fetched again: is right" cached big
check "it was fetched from the start" test "$(grep -c '/sulk/big?2 - -$' "$WORK/port.log")" = 2
check "another download breaks off" broken_off 3
sed -i 3d "$part.meta"
check "the next lock does not resume what a killed process left" lock && check "left and fetched again: is right" cached big
check "it was fetched from the start" test "$(grep -c '/sulk/big?3 - -$' "$WORK/port.log")" = 2
check "another download breaks off" broken_off 4
rm "$part" && mkfifo "$part"
check "a fifo in the place of a part is replaced" timeout 300 "$RACKSTRAP" lock "$WORK/recipe" --artifacts

arrives "drips in" small "$U/drip-20/small"
RACKSTRAP_FETCH_STALL=1 arrives "stalls in the middle" big "$U/stall/big"
arrives "in chunks without a length" big "$U/chunked/big"
arrives "in chunks, cut" big "$U/chunkcut/big"
arrives "without any length" small "$U/close/small"
arrives "without any length, cut" big "$U/closecut/big"
refused "always cut with little at a time" 1 'rackstrap: *always-1/big: *[(]tried 4 times)' "$U/always-1/big"

# A download that failed is resumed in the next run.
fresh
recipe "$U/always-5/big=$(sum big)"
for _ in 1 2 3 4 5 6; do lock 2>/dev/null >/dev/null && break; done
check "a run resumes the download of the run before" cached big

# --- servers that are busy ---------------------------------------------------------------
for code in 408 429 500 502 503 504; do
	arrives "status $code twice, then fine" small "$U/busy-$code/small"
done
refused "always 503" 1 'rackstrap: *status-503/small: the server answered 503 [(]tried 4 times)' "$U/status-503/small"
refused "404" 1 'rackstrap: *status-404/small: the server answered 404' "$U/status-404/small"
check "a URL with status 404 is requested once" test "$(requests status-404/small)" = 1
arrives "Retry-After of a second, with no request before that" small "$U/later-1/small"
refused "Retry-After of a day" 1 \
	'rackstrap: *: the server answered 429, and asks to retry in 86400 s' "$U/later-86400/small"
refused "nobody listens" 1 'rackstrap: http://127.0.0.1:1/x: *[(]tried 4 times)' http://127.0.0.1:1/x
refused "no such host" 1 'rackstrap: http://no.invalid/x: *[(]tried 4 times)' http://no.invalid/x

# --- redirects ---------------------------------------------------------------------------
arrives "ten redirects" small "$U/hops-10/small"
check "the lock has the last URL, without its query" grep -qxF "		from = \"$U/ok/small\";" "$WORK/recipe/recipe.lock"
refused "eleven redirects" 1 'rackstrap: *hops-11/small: *redirects*' "$U/hops-11/small"
refused "a redirect loop" 1 'rackstrap: *loop/small: *redirects*' "$U/loop/small"
refused "a redirect to a file" 1 'rackstrap: *file/small: redirected to a scheme that is not allowed (Protocol "file" *)' "$U/file/small"

# --- TLS ---------------------------------------------------------------------------------
export SSL_CERT_FILE=$WORK/ca.crt
arrives "https" small "https://127.0.0.1:$HTTPS/ok/small"
refused "a certificate with another name" 1 'rackstrap: https:*: SSL: no alternative certificate subject name matches*' \
	"https://127.0.0.1:$WRONG/ok/small"
refused "a redirect from https to http" 1 \
	'rackstrap: https:*: redirected to a scheme that is not allowed (Protocol "http" *)' "https://127.0.0.1:$HTTPS/down/small"
unset SSL_CERT_FILE
refused "a certificate that nobody trusts" 1 'rackstrap: https:*: SSL certificate problem: *' \
	"https://127.0.0.1:$HTTPS/ok/small"

# --- other bodies --------------------------------------------------------------------------
S=$(sum small)
refused "a byte short" 1 "rackstrap: *short/small: sha256 is *, expected $S (*recipe.cfg:*); it has 59999 bytes" "$U/short/small=$S"
refused "a byte long" 1 "rackstrap: *long/small: sha256 is *, expected $S (*); it has 60001 bytes" "$U/long/small=$S"
refused "a bit altered" 1 "rackstrap: *altered/small: sha256 is *, expected $S (*); it has 60000 bytes" "$U/altered/small=$S"
refused "a web page instead" 1 "rackstrap: *html/small: sha256 is *, expected $S (*); it has 82 bytes and is a web page (text/html, \"<!DOCTYPE html>\")" "$U/html/small=$S"
refused "a web page, and nobody has a digest" 1 \
	'rackstrap: *html/small: a file was expected, but it has 82 bytes and is a web page (text/html, "<!DOCTYPE html>")' "$U/html/small"
refused "nothing" 1 'rackstrap: *empty/small: is empty' "$U/empty/small"
refused "no digest, and no length to tell a cut by" 1 \
	'rackstrap: *closecut/small: the server does not give its length, *: give it a digest in the recipe' "$U/closecut/small"
arrives "a page that is asked for" page.xml "$U/ok/page.xml"
for fault in short long; do
	fresh
	recipe "$U/$fault/small"
	known 60000 "$S"
	refuse "$fault, by the size in the lock" 1 "rackstrap: *$fault/small: *60000 bytes*recipe.lock:2*" fetch
	check "$fault: left nothing in the cache" cached
done
fresh
recipe "$U/ok/small"
known 60000 "$(printf 'a%.0s' $(seq 64))"
refuse "a file that differs from the locked one is refused" 1 \
	"rackstrap: *ok/small: sha256 is $S, expected aaaa* (*recipe.lock:2); it has 60000 bytes" fetch
check "it leaves nothing in the cache" cached
known 60000 "$S"
check "the locked file is fetched" fetch
check "the cache has the right file" cached small

# --- sizes ---------------------------------------------------------------------------------
# Checks that a URL is refused as too large and that nothing of it is left. Usage: large WHAT URL
large() {
	refused "$1" 1 "rackstrap: $2: has more than the limit of 1.0 MiB: refused (key 'max_size' of the artifact raises the limit)" "$2"
	check "$1: left no bytes" test "$(find "$RACKSTRAP_CACHE/partial" -type f | wc -l)" = 0
}
export KEYS=' max_size = "1M";'
truncate -s 2M "$WORK/files/two"
large "a body without a length or an end" "$U/endless-200/x"
large "endless chunks" "$U/endlesschunks-200/x"
large "an announced size of 2^60 bytes" "$U/announced-60/x"
large "a file of this machine" "file://$WORK/files/two"
large "a device of this machine" "file:///dev/zero"
large "a download that was resumed" "$U/always-10/big"
refused "an endless body of an error" 1 "rackstrap: $U/endless-404/x: the server answered 404" "$U/endless-404/x"
arrives "a redirect with an endless body" small "$U/endless-302/small"
refused "a redirect with endless chunks" 1 "rackstrap: $U/endlesschunks-302/small: is redirected with a body of more than 1 MiB: refused" "$U/endlesschunks-302/small"
refused "endless chunks of an error" 1 "rackstrap: $U/endlesschunks-404/x: the server answered 404" "$U/endlesschunks-404/x"
KEYS=' max_size = "60000";' arrives "a file of exactly that size" small "$U/ok/small"
KEYS=' max_size = "59999";' recipe "$U/ok/small=$S"
refuse "a file in the cache that is larger than max_size is refused" 1 \
	"rackstrap: $U/ok/small: has more than the limit of 58.6 KiB: refused (key 'max_size' of the artifact raises the limit)" fetch
fresh
recipe "$U/ok/big"
known 3000000 "$(sum big)"
before=$(requests ok/big)
refuse "a locked size that is larger than max_size is refused" 1 \
	"rackstrap: $U/ok/big: has more than the limit of 1.0 MiB: refused (key 'max_size' of the artifact raises the limit)" fetch
check "it is not requested" test "$(requests ok/big)" = "$before"
unset KEYS
fresh
recipe "$U/announced-43/x"
sed -i 's/mode = "0644";/& max_size = "16T";/' "$WORK/recipe/recipe.cfg"
refuse "an announced size that the cache has no room for is refused" 4 "rackstrap: not enough space: * are free, at least 8.0 TiB are needed ($U/announced-43/x in $RACKSTRAP_CACHE: 8.0 TiB)" lock

# --- digests -------------------------------------------------------------------------------
sha1=$(sha1sum <"$WORK/files/small" | cut -c1-40)
md5=$(md5sum <"$WORK/files/small" | cut -c1-32)
fresh
recipe "$U/ok/small=$(sha512sum <"$WORK/files/small" | cut -c1-128)"
check "a file is locked by sha512" lock
check "a file is found in the cache by its sha512" "$RACKSTRAP" fetch "$WORK/recipe" --artifacts --mirror http://=http://127.0.0.1:1/
for two in "$S $(sha512sum <"$WORK/files/small" | cut -c1-128)" "$(sha512sum <"$WORK/files/small" | cut -c1-128) $S"; do
	fresh
	recipe "$U/ok/small=${two% *}" "$U/ok/small=${two#* }"
	check "one file with two kinds of digest is fetched" "$RACKSTRAP" fetch "$WORK/recipe" --artifacts
	check "the cache has the right file" cached small
done
for weak in "$sha1" "$md5"; do
	kind=$([ ${#weak} = 40 ] && echo sha1 || echo md5)
	fresh
	recipe "$U/ok/small=$weak"
	rm -f "$WORK/recipe/recipe.lock"
	refuse "$kind alone is refused" 3 "rackstrap: *: artifact 'a1': $kind alone is not enough: *rackstrap lock *, which checks it" fetch
	check "$kind beside a lock is accepted" lock
	check "the cache has the right file" fetch
	recipe "$U/ok/small=$(tr 0-9a-f 1-9a-f0 <<<"$weak")"
	refuse "fetch refuses a $kind that the locked file does not have" 1 "rackstrap: *: $kind is $weak, expected *" fetch
	refuse "lock refuses that $kind" 1 "rackstrap: *: $kind is $weak, expected *" lock
done

# --- hundreds --------------------------------------------------------------------------------
fresh
many=()
for n in $(seq 400); do many+=("$U/ok/small?$n"); done
recipe "${many[@]}"
check "more files than a process may have open are fetched" bash -c \
	"ulimit -n 350 && exec '$RACKSTRAP' lock '$WORK/recipe' --artifacts"
check "the cache has the right files" cached small
check "the lock has all of them" test "$(grep -c '/ok/small?' "$WORK/recipe/recipe.lock")" = 400
fresh
recipe "$U/status-404/first" "${many[@]}" "$U/status-404/last" "$U/ok/big"
refuse "two missing files fail the run" 1 "rackstrap: $U/status-404/last: the server answered 404" lock
cp "$WORK/err" "$WORK/said"
check "both are reported" grep -qxF "rackstrap: $U/status-404/first: the server answered 404" "$WORK/said"
check "the other files are in the cache" cached small big

# --- several, and a proxy -------------------------------------------------------------------
fresh
recipe "$U/ok/small=$S" "$U/status-404/x" "$U/altered/small=$S" "$U/ok/big=$(sum big)"
refuse "two wrong files of four fail the run" 1 "rackstrap: $U/altered/small: sha256 is *" lock
cp "$WORK/err" "$WORK/said"
check "both are reported, a line each, in the recipe's order" test "$(tail -n 2 "$WORK/said" | head -n 1)" = \
	"rackstrap: $U/status-404/x: the server answered 404"
check "the other two are in the cache" cached small big
fresh
recipe "http://files.invalid/ok/small=$S"
check "a file is fetched through the proxy in the environment" env http_proxy="$U" "$RACKSTRAP" lock "$WORK/recipe" --artifacts
check "the cache has the right file" cached small
check "the proxy got the whole URL" grep -q 'GET http://files.invalid/ok/small' "$WORK/port.log"
fresh
recipe "$U/busy-429/small.b" "$U/drip-20/big"
check "without a terminal each file has a line" sh -c "'$RACKSTRAP' lock '$WORK/recipe' --artifacts 2>&1 |
	grep -c '^rackstrap: fetched a[12]: .* s)\$' | grep -qx 2"
fresh
recipe "$U/held/big"
check "on a terminal the progress is shown" python3 - "$RACKSTRAP" "$WORK/recipe" "$WORK/files/big.go" <<'P'
import os, pty, sys
said = b""
def read(fd):
    global said
    data = os.read(fd, 65536)
    said += data
    if b"fetching: " in said and b" MiB of 2.9 MiB" in said:
        open(sys.argv[3], "w").close()  # the server goes on
    return data
os.environ["TERM"] = "xterm"
status = pty.spawn([sys.argv[1], "lock", sys.argv[2], "--artifacts"], read)
sys.exit(status != 0)
P
finish
