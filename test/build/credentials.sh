#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Passwords and tokens: a server gets them and nothing else does. The word PASSWORD stands for each
# of them; after every command it is in no output, lock or file of the cache.
. "$(dirname "$0")/../tap.sh"
unset {http,https,all,no}_proxy {HTTP,HTTPS,ALL,NO}_PROXY RACKSTRAP_MIRROR CURL_CA_BUNDLE
export RACKSTRAP_CACHE=$WORK/cache RACKSTRAP_FETCH_PAUSE=1

mkdir "$WORK/files" "$WORK/recipe"
head -c 300000 /dev/urandom >"$WORK/files/small"
SUM=$(sha256sum <"$WORK/files/small" | cut -c1-64)
python3 test/faultd.py "$WORK/files" "$WORK/port" - - >&2 &
faultd=$!
tap_cleanup() { kill "$faultd" 2>/dev/null; }
for _ in $(seq 1000); do [ -s "$WORK/port" ] && break; sleep 0.1; done
read -r HTTP <"$WORK/port" || bail "test/faultd.py did not start"
U=http://127.0.0.1:$HTTP

# Writes a recipe with an artifact, which has these lines. Usage: recipe LINE...
recipe() {
	cat >"$WORK/recipe/recipe.cfg" <<-END
		version = 1; name = "f"; images = [ "pxe" ];
		base = { type = "suite"; suite = "s"; components = [ "c" ]; kernel = "k"; mirror = "http://m.invalid/"; };
		artifacts = ( { name = "a"; to = "/a"; mode = "0644"; $* } );
	END
	rm -rf "$RACKSTRAP_CACHE" "$WORK/recipe/recipe.lock" "$WORK/port.logins"
}
# Runs rackstrap, keeps its output, and checks that PASSWORD is nowhere. Usage: rackstrap STATUS WORD...
rackstrap() {
	local want=$1 rc=0
	shift
	"$RACKSTRAP" "$@" >"$WORK/said" 2>&1 || rc=$?
	if [ "$rc" != "$want" ]; then
		echo "exit status $rc, not $want"
		cat "$WORK/said"
		return 1
	fi
	find "$RACKSTRAP_CACHE" 2>/dev/null >"$WORK/names"
	! grep -r PASSWORD "$WORK/said" "$WORK/names" "$RACKSTRAP_CACHE" "$WORK/recipe"/recipe.lock 2>/dev/null
}
lock() { rackstrap "$1" lock "$WORK/recipe" --artifacts "${@:2}"; }
says() { grep -qF -- "$1" "$WORK/said" || { cat "$WORK/said"; return 1; }; }
locked() { grep -qF -- "$1" "$WORK/recipe/recipe.lock" || { cat "$WORK/recipe/recipe.lock"; return 1; }; }
# Succeeds if no request for the path had a login. Usage: without_login PATH
without_login() { grep -F " $1" "$WORK/port.logins" >"$WORK/found" && ! grep -v ' - -$' "$WORK/found"; }

# --- a netrc file --------------------------------------------------------------------------------
netrc=$WORK/netrc
printf 'default login all password PASSWORD\nmachine 127.0.0.1 login me password PASSWORD\n' >"$netrc"
recipe "url = \"$U/login/small\";"
check "a file that others can read is refused" lock 1 --netrc-file "$netrc"
check "the message says what to do" says "netrc file $netrc: others may read the passwords in it (its mode is 0644): run chmod 600 on it"
chmod 640 "$netrc"
check "so is one that its group can read" lock 1 --netrc-file "$netrc"
chmod 600 "$netrc"
check "and a folder" lock 1 --netrc-file "$WORK"
check "and none" lock 1 --netrc-file "$WORK/none"
printf 'machine 127.0.0.1 login me\npassword my PASSWORD\n' >"$WORK/bad"
chmod 600 "$WORK/bad"
check "and one with a mistake, whose words are not repeated" lock 1 --netrc-file "$WORK/bad"
check "the message has file and line" says "$WORK/bad:2: must be machine, login, password, account, macdef or default here"

check "without a login the server refuses" lock 1
check "the message names the option" says "$U/login/small: the server answered 401: it wants a user name and password: give them with --netrc-file"
check "with the login the file is fetched" lock 0 --netrc-file "$netrc"
check "the file is locked" locked "$SUM"
printf 'machine 127.0.0.1 login me password wrong\n' >"$WORK/wrong"
chmod 600 "$WORK/wrong"
check "a wrong password is refused" lock 1 --netrc-file "$WORK/wrong"
check "the message says so" says "the server answered 401: it does not accept the user name and password"
rm -rf "$RACKSTRAP_CACHE"
check "fetch has the option" rackstrap 0 fetch "$WORK/recipe" --artifacts --netrc-file "$netrc"
rm -rf "$RACKSTRAP_CACHE"
# The build goes on to the base, whose archive does not exist.
check "build has it" rackstrap 1 build "$WORK/recipe" --output "$WORK/images" --netrc-file "$netrc"
check "build got the file" test -e "$RACKSTRAP_CACHE/blobs/sha256/$SUM"

# --- redirects -----------------------------------------------------------------------------------
recipe "url = \"$U/beside/small\";"
check "a redirect on the same host keeps the login" lock 0 --netrc-file "$netrc"
recipe "url = \"$U/elsewhere/small\";"
check "a redirect to another host is followed" lock 0 --netrc-file "$netrc"
check "its login, parameter and query are not recorded" locked "from = \"http://localhost:$HTTP/ok/small\""
recipe "url = \"$U/otherhost/small\";"
check "another host gets no login" lock 1 --netrc-file "$netrc"
check "the message names the server that answered" says "$U/otherhost/small: redirected to http://localhost:$HTTP, which answered 401: it wants a user name and password, which are not sent behind a redirect: fetch from that server itself (--mirror) with --netrc-file"
check "it was asked" without_login "/login/small"
recipe "url = \"$U/otherport/small\";"
check "another port gets no login" lock 1 --netrc-file "$netrc"
check "it was asked as well" without_login "/login/small"

# --- queries -------------------------------------------------------------------------------------
T='?token=PASSWORD'
recipe "url = \"$U/query/small$T\";"
check "a query is sent, also when the download resumes" lock 0
check "it did resume" grep -q 'GET /query/small?token=PASSWORD bytes=150000- "a"' "$WORK/port.log"
check "the lock has the URL without it" locked "url = \"$U/query/small\""
check "the download is said to have no other source" says "fetched a: "
check "the cache lists the URL without it" rackstrap 0 cache list
check "the URL is there" says "$U/query/small"
check "export has no query in a file's name" rackstrap 0 cache export "$WORK/tree"
check "the name is the URL's path" test -e "$WORK/tree/127.0.0.1:$HTTP/query/small"
rm -rf "$RACKSTRAP_CACHE"
check "the locked file is fetched with another query" rackstrap 0 fetch "$WORK/recipe" --artifacts
check "--dry-run does not print it" rackstrap 0 build "$WORK/recipe" --dry-run
check "but the URL" says "artifact a $U/query/small to /a 0644"
recipe "url = \"$U/status-404/small$T\";"
check "the message of a failure does not have it" lock 1
check "but the URL" says "$U/status-404/small: the server answered 404"
recipe "url = \"$U/always-10/small$T\";"
check "nor has what is left of a download" lock 1
check "there is one" sh -c "ls '$RACKSTRAP_CACHE/partial' | grep -q meta"
check "nor has the list of it" rackstrap 0 cache list
check "the list has the URL" says "$U/always-10/small"
recipe "url = \"http://a.invalid/ok/small$T\";"
check "a mirror does not get it" lock 0 --mirror "http://a.invalid/=$U/"
check "the mirror was asked without it" grep -q "GET /ok/small - -" "$WORK/port.log"
check "the mirror of an exported tree does not" lock 1 --mirror "$U/status-404"
check "the message has the mirror's URL" says "(from $U/status-404/a.invalid/ok/small)"
check "a mirror's own query is not printed" lock 1 --mirror "http://a.invalid/=$U/status-404/?token=PASSWORD&u="
check "but the mirror is" says "(from $U/status-404/)"
check "a mirror with a login is refused" lock 2 --mirror "http://me:PASSWORD@a.invalid/"
check "the message says what to do" says "--mirror: has a user name or password in it, which other users of this machine can see: put them into a file for --netrc-file"
check "so is a replacement" lock 2 --mirror "http://a.invalid/=http://me:PASSWORD@b.invalid/"
RACKSTRAP_MIRROR=http://me:PASSWORD@b.invalid/ check "and one in the environment" lock 2
for wrong in 'http:/me:PASSWORD@h/' 'http:///me:PASSWORD@h/' 'http:\\me:PASSWORD@h/' http:me:PASSWORD@h/ \
	htp:me:PASSWORD@h/ me:PASSWORD@h/ "$U/?u=http://me:PASSWORD@h/" "$U/http://me:PASSWORD@h/"; do
	shown=${wrong/PASSWORD/pw}
	check "a mirror $shown is refused" lock 2 --mirror "$wrong"
	check "the replacement $shown is refused" lock 2 --mirror "http://a.invalid/=$wrong"
	recipe "url = \"${wrong//\\/\\\\}\";"
	check "the URL $shown of a recipe is refused" lock 3
	check "the message says why" says ": has a user name or password in it"
	recipe "url = \"$U/ok/small\";"
done
recipe "url = \"$U/ok/small?k=v\"; public_query = true;"
check "a public query is recorded" lock 0
check "the lock has it" locked "url = \"$U/ok/small?k=v\""
sed -i 's|artifacts = (|& { name = "b"; to = "/b"; mode = "0644"; url = "http://a.invalid/x?1"; }, { name = "c"; to = "/c"; mode = "0644"; url = "http://a.invalid/x?2"; },|' "$WORK/recipe/recipe.cfg"
check "two URLs that differ in a secret query only are refused" lock 3
check "the message says what to do" says "give both public_query = true if it holds no secret"

# --- locks and caches of earlier versions ----------------------------------------------------------
recipe "url = \"$U/ok/small\"; sha256 = \"$SUM\";"
cat >"$WORK/recipe/recipe.lock" <<-END
	version = 1;
	inputs = (
	  { url = "$U/ok/small"; size = "300000"; sha256 = "$SUM"; when = "2026-01-01T00:00:00Z";
	    from = "http://me:PASSWORD@cdn.invalid/small?token=PASSWORD"; },
	  { url = "http://me:PASSWORD@b.invalid/y?token=PASSWORD"; size = "1"; sha256 = "$SUM"; }
	);
END
check "a lock of an earlier version is cleaned" lock 0
check "it keeps where the file came from" locked 'from = "http://cdn.invalid/small"'
check "the dropped URL is printed without secrets" says "dropped http://b.invalid/y"
url=http://me:PASSWORD@b.invalid/small
key=$(printf %s "$url" | sha256sum | cut -c1-64)
echo "$SUM $url" >"$RACKSTRAP_CACHE/url/$key"
check "a URL with a password in the cache is not listed" sh -c "'$RACKSTRAP' cache list | grep -q PASSWORD && exit 1 || exit 0"
check "prune removes it" rackstrap 0 cache prune

# --- proxies -------------------------------------------------------------------------------------
recipe "url = \"http://a.invalid/ok/small\";"
export http_proxy
http_proxy=http://me:PASSWORD@127.0.0.1:$HTTP
check "a proxy with a password is used" lock 0
check "it got the password" grep -q ' Basic bWU6UEFTU1dPUkQ=$' "$WORK/port.logins"
check "the server did not" grep -q '^a.invalid http://a.invalid/ok/small - Basic' "$WORK/port.logins"
http_proxy=http://me:PASSWORD@127.0.0.1:1
recipe "url = \"http://a.invalid/ok/small\";"
check "a proxy that does not answer is an error" lock 1
http_proxy=tin://me:PASSWORD@127.0.0.1:1
check "so is one of an unknown kind" lock 1
check "the message names the environment" says "the proxy in the environment cannot be used"
http_proxy="http://me:PASS PASSWORD@127.0.0.1:1"
check "and one that is no URL" lock 1
finish
