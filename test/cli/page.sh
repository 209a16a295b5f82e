#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The status page, status.json and metrics of trees in several states (test/page-tree.py), against
# test/golden/status and by programs of others: tidy, promtool, Python's json and HTML parser.
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

finish
