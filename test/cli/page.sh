#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The status page, status.json and metrics of trees in several states (test/page-tree.py), against
# test/golden/status and by programs of others: tidy, promtool, Python's json and HTML parser. Then
# the picture of `rackstrap check --svg`, and the lines of `status --watch`.
. "$(dirname "$0")/../tap.sh"
GOLDEN=test/golden/status NOW=1780000000
export TZ=UTC

page() { echo "$WORK/$1/http/status/$2"; }
# Succeeds when FILE is the golden file NAME; with GOLDEN_UPDATE it becomes that.
golden() { # FILE NAME
	[ -z "${GOLDEN_UPDATE:-}" ] || cp "$1" "$GOLDEN/$2"
	diff "$GOLDEN/$2" "$1"
}
valid_html() { [ -z "$(tidy -q -e --warn-proprietary-attributes no "$1" 2>&1)" ]; } # it knows no href in SVG

for kind in empty half failed hostile; do
	test/page-tree.py "$WORK/$kind" $kind
	check "$kind: the files are written" "$O/test/tools/status-pages" "$WORK/$kind" $NOW
	for file in index.html status.json metrics; do
		check "$kind: $file is the golden one" golden "$(page $kind $file)" $kind-$file
	done
done
test/page-tree.py "$WORK/mixed" mixed 1000
check "a rack of 1,000 hosts has them" "$O/test/tools/status-pages" "$WORK/mixed" $NOW

for kind in empty half failed hostile mixed; do
	check "$kind: tidy finds no fault in the page" valid_html "$(page $kind index.html)"
	check "$kind: promtool finds none in the metrics" sh -c "promtool check metrics <'$(page $kind metrics)' 2>&1 |
		{ ! grep .; }"
	check "$kind: Python reads status.json and the page" python3 - "$WORK/$kind" <<-'P'
		import html.parser, json, re, sys
		tree = sys.argv[1]
		status = json.load(open(f"{tree}/http/status/status.json"))
		names = re.findall(r'name = "([^"]*)"', open(f"{tree}/tree.cfg").read())
		assert [h["name"] for h in status["hosts"]] == names, "hosts"
		assert sum(status["states"].values()) == len(names), "states"

		class Page(html.parser.HTMLParser):
		    def __init__(self):
		        super().__init__()
		        self.tags, self.links, self.ids = set(), [], []
		    def handle_starttag(self, tag, attrs):
		        self.tags.add(tag)
		        for name, value in attrs:
		            assert not name.startswith("on"), name
		            assert name != "style" and name != "src", name
		            if name == "href":
		                self.links.append(value)
		            if name == "id":
		                self.ids.append(value)

		page = Page()
		page.feed(open(f"{tree}/http/status/index.html").read())
		assert not page.tags & {"script", "img", "iframe", "object", "form", "input", "b-role"}, page.tags
		rows = [f"h{i}" for i in range(len(names))]
		assert page.ids == rows, "a row for each host"
		assert set(f"#{r}" for r in rows) <= set(page.links), "a box for each host"
		for link in page.links:
		    assert re.fullmatch(r"#h\d+|\.\./report/[a-z0-9-]+\.json|status\.json|metrics|data:,", link), link
		reports = {h["name"] for h in status["hosts"] if h["age_s"] is not None}
		assert {l[10:-5] for l in page.links if l.startswith("../")} == reports, "reports"
	P
done
check "the page of hostile texts has them as text" grep -qF '&lt;script&gt;alert(1)&lt;/script&gt;' "$(page hostile index.html)"
check "it has no control character and nothing that reorders a text" sh -c \
	"! LC_ALL=C.UTF-8 grep -P '[\x00-\x08\x0b-\x1f\x7f\x{202e}]' '$(page hostile index.html)'"

# --- check --svg ----------------------------------------------------------------------------------
check "check --svg draws a rack" "$RACKSTRAP" check --svg configs/rack40.cfg
cp "$WORK/out" "$WORK/rack40.svg"
check "the picture is the golden one" golden "$WORK/rack40.svg" rack40.svg
well_formed() { python3 -c 'import sys, xml.dom.minidom as m; m.parse(sys.argv[1])' "$1"; }
check "it is well-formed XML" well_formed "$WORK/rack40.svg"
check "it has no variables, which programs that convert an SVG do not know" sh -c "! grep -q 'var(' '$WORK/rack40.svg'"
check "it has every host" test "$(grep -c '<text class="name"[^>]*>r40-' "$WORK/rack40.svg")" = 40
check "the picture of the README is that of configs/demo.cfg" sh -c "'$RACKSTRAP' check --svg configs/demo.cfg 2>/dev/null |
	diff docs/demo.svg -"
check "it is smaller than 100 KiB" test "$(stat -c %s docs/demo.svg)" -lt 102400
check "README.md shows it" grep -qF '](docs/demo.svg)' README.md
{
	echo 'cluster : { name = "big"; node_network = "10.0.0.0/16"; boot_server = "10.0.0.1"; gateway = "10.0.0.1"; };'
	echo 'hosts = ('
	for i in {1..300}; do
		[ "$i" = 1 ] || echo ,
		printf '{ name = "n-%d"; role = "web"; mac = "02:00:00:00:%02x:%02x"; address = "10.0.%d.%d"; }' \
			"$i" $((i / 256)) $((i % 256)) $((1 + i / 250)) $((1 + i % 250))
	done
	echo ');'
} >"$WORK/big.cfg"
check "a large rack is drawn" "$RACKSTRAP" check --svg "$WORK/big.cfg"
check "with a dot for each host" test "$(grep -c '<title>n-' "$WORK/out")" = 300
refuse "two racks are not one picture" 2 "rackstrap: check: option '--svg' takes one rack file, not 2" \
	"$RACKSTRAP" check --svg configs/demo.cfg configs/rack40.cfg
check "nothing is printed then" test ! -s "$WORK/out"
sed 's/10\.0\.1\.5"/10.0.1.6"/' "$WORK/big.cfg" >"$WORK/wrong.cfg"
refuse "a rack with a mistake has no picture" 3 "rackstrap: 1 mistake in 1 file" "$RACKSTRAP" check --svg "$WORK/wrong.cfg"
check "nothing is printed then, either" test ! -s "$WORK/out"

# --- status --watch -------------------------------------------------------------------------------
# Waits until the watch has printed a line that matches.
until_said() {
	for _ in {1..200}; do
		grep -q "$1" "$WORK/said" && return
		sleep 0.1
	done
	cat "$WORK/said"
	return 1
}
test/page-tree.py "$WORK/watched" empty 3
"$RACKSTRAP" status --watch "$WORK/watched" >"$WORK/said" 2>"$WORK/watch.err" &
watch=$!
tap_cleanup() { kill "$watch" 2>/dev/null; }
put() { # HOST VERDICT
	printf '{"format":1,"host":"%s","verdict":"%s","why":"a reason","generation":0,"uptime_ms":5,"phases":[],"units":[]}' \
		"$1" "$2" >"$WORK/new" && mv "$WORK/new" "$WORK/watched/http/report/$1.json"
}
put node-1 starting
check "status --watch says that the units of a host start" until_said '^node-1: units$'
put node-1 failed
check "it says why a host has failed" until_said '^node-1: failed: a reason$'
put node-1 ready
check "it says that it is ready" until_said '^node-1: ready (1 of 3)$'
kill -INT "$watch"
rc=0
wait "$watch" || rc=$?
check "a signal ends it, with status 1 while a host is not ready" test $rc = 1
check "it says how many are not" grep -qx 'rackstrap: 2 of 3 hosts are not ready' "$WORK/watch.err"
refuse "a folder of reports cannot be watched" 1 "rackstrap: $WORK/watched/http is not a boot tree *" \
	"$RACKSTRAP" status --watch "$WORK/watched/http"
refuse "--json and --watch exclude each other" 2 "rackstrap: status: options '--watch' and '--json' exclude each other" \
	"$RACKSTRAP" status --watch --json "$WORK/watched"
script -qfec "stty rows 8 cols 44; exec '$RACKSTRAP' status --watch '$WORK/half'" /dev/null >"$WORK/said" </dev/null &
watch=$!
check "on a terminal it draws a screen" until_said '^and [0-9]* more'
kill "$watch"
wait "$watch"
check "the screen is drawn from its upper left corner" grep -qF "$(printf '\033[H')rack 'half', image 'bookworm-vm'" "$WORK/said"
check "it has a bar" grep -qE '^\[[#=!.]{40}\]' "$WORK/said"
check "hosts that need attention come first" sh -c "grep -aA1 '^HOST' '$WORK/said' | sed -n 2p | grep -q '^node-'"
check "no line is wider than the terminal" sh -c "sed 's/\x1b\[[HKJ]//g; s/\r//' '$WORK/said' | { ! grep -E '.{45}'; }"
finish
