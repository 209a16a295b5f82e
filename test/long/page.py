#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test/long/page.py DIR SHOTS

Opens the status pages DIR/KIND/http/status/index.html and the pictures DIR/*.svg in Chromium, light
and dark, in several widths, and prints "ok WHAT" or "not ok WHAT" for each expectation: nothing is
wider than the window, every text has the contrast of WCAG 2.1 AA, nothing is loaded or run, and texts
of hosts stay texts. Writes a screenshot of each into SHOTS.
"""
import os
import sys

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

WIDTHS = (400, 640, 1000, 1280, 1920)
KINDS = ("empty", "half", "failed", "ready", "mixed", "long", "hostile")

# Returns [ratio, needed, text] of each different pair of colours of a text and what is behind it.
CONTRAST = """
const rgb = s => { const m = s.match(/[\\d.]+/g).map(Number); return m.length > 3 && m[3] === 0 ? null : m; };
const lum = c => { const f = c.slice(0, 3).map(v => { v /= 255;
  return v <= 0.04045 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4); });
  return 0.2126 * f[0] + 0.7152 * f[1] + 0.0722 * f[2]; };
const behind = e => {
  for (let n = e; n; n = n.parentElement) {
    if (n.namespaceURI.endsWith('svg')) {
      const back = n.querySelector(':scope > .back');
      if (back) return rgb(getComputedStyle(back).fill);
      if (n === document.documentElement) {
        const r = e.previousElementSibling;
        const under = r && r.tagName === 'rect' && r.classList.contains('net') ? r : null;
        const page = under || document.querySelector('.page');
        if (page) return rgb(getComputedStyle(page).fill);
      }
    }
    const c = rgb(getComputedStyle(n).backgroundColor);
    if (c) return c;
  }
  return [255, 255, 255];
};
const seen = {};
for (const e of document.querySelectorAll('body *, svg text')) {
  const own = [...e.childNodes].some(n => n.nodeType === 3 && n.nodeValue.trim());
  if (!own || e.closest('style, title') || !e.getClientRects().length) continue;
  const s = getComputedStyle(e), fg = rgb(e.namespaceURI.endsWith('svg') ? s.fill : s.color), bg = behind(e);
  const a = lum(fg), b = lum(bg), ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const px = parseFloat(s.fontSize), large = px >= 24 || (px >= 18.66 && parseInt(s.fontWeight) >= 700);
  const key = fg.join() + '/' + bg.join() + '/' + large;
  if (!seen[key]) seen[key] = [ratio, large ? 3 : 4.5, e.textContent.slice(0, 40)];
}
return Object.values(seen);
"""
# Returns the ratio of each different colour of a mark and what is behind the picture.
MARKS = """
const rgb = s => s.match(/[\\d.]+/g).map(Number);
const lum = c => { const f = c.slice(0, 3).map(v => { v /= 255;
  return v <= 0.04045 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4); });
  return 0.2126 * f[0] + 0.7152 * f[1] + 0.0722 * f[2]; };
const page = lum(rgb(getComputedStyle(document.body).backgroundColor)), seen = {};
for (const e of document.querySelectorAll('.mark')) {
  const fill = getComputedStyle(e).fill, a = lum(rgb(fill));
  seen[fill] = (Math.max(a, page) + 0.05) / (Math.min(a, page) + 0.05);
}
return Object.values(seen);
"""

# Returns the texts of boxes that end outside of their box.
BEYOND = """
return [...document.querySelectorAll('svg g')].flatMap(g => {
  const box = g.querySelector('.back');
  return box ? [...g.querySelectorAll('text')].filter(t => t.getBoundingClientRect().right >
    box.getBoundingClientRect().right).map(t => t.textContent) : [];
});
"""


def browser(home):
    o = Options()
    for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                 "--disable-dev-shm-usage", "--disable-background-networking", "--user-data-dir=" + home):
        o.add_argument(word)
    return webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=o)


def size(d, width, height):
    d.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                      {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})


def say(good, what):
    print(("ok " if good else "not ok ") + what, flush=True)


def contrast(d, what):
    pairs = d.execute_script(CONTRAST)
    bad = [p for p in pairs if p[0] < p[1]]
    say(pairs and not bad, f"{what}: {len(pairs)} pairs of colours have the contrast of AA")
    for ratio, needed, text in bad:
        print(f"# {ratio:.2f} < {needed}: {text}")
    return min((p[0] for p in pairs), default=0)


def page(d, top, shots, kind, scheme):
    url = f"file://{top}/{kind}/http/status/index.html"
    wide, least = [], 0
    for width in WIDTHS:
        size(d, width, 900)
        d.get(url)
        whole, window, height = d.execute_script(
            "const e = document.documentElement; return [e.scrollWidth, window.innerWidth, e.scrollHeight]")
        if whole > window:
            wide.append(f"{whole} > {window}")
        size(d, width, min(height, 2400))
        d.save_screenshot(f"{shots}/{kind}-{scheme}-{width}.png")
        if width in (WIDTHS[0], WIDTHS[3]):
            least = contrast(d, f"{kind}, {scheme}, {width} pixels")
    say(not wide, f"{kind}, {scheme}: nothing is wider than the window")
    for w in wide:
        print("# " + w)
    beyond = d.execute_script(BEYOND)
    say(not beyond, f"{kind}, {scheme}: every text is inside of its box {beyond[:3] or ''}".rstrip())
    marks = d.execute_script(MARKS)
    say(all(m >= 3 for m in marks), f"{kind}, {scheme}: {len(marks)} colours of boxes differ from the page by 3")
    print(f"# {kind}, {scheme}: least contrast of a text {least:.2f}, of a mark {min(marks, default=0):.2f}")
    say(d.execute_script("return document.scripts.length + performance.getEntriesByType('resource').length") == 0,
        f"{kind}, {scheme}: nothing is run or loaded")


def hostile(d, top):
    """A page in which every text of a host is markup, and what would happen without escapes."""
    d.get(f"file://{top}/hostile/http/status/index.html")
    text = d.execute_script("return document.body.textContent")
    say("<script>alert(1)</script>" in text, "a hostile text is shown as it is")
    say(d.execute_script("return document.querySelectorAll('img, script, body b b').length") == 0,
        "it makes no element")
    with open(f"{top}/run.html", "w") as f:
        f.write(open(f"{top}/hostile/http/status/index.html").read().replace(
            "</body>", "<script>document.title = 'ran'</script><p style='display:none'>x</p></body>"))
    d.get(f"file://{top}/run.html")
    say(d.title != "ran", "the page's policy would not run a script that is in it")


def main():
    top, shots = sys.argv[1:3]
    d = browser(os.path.join(top, "home", "chromium"))
    try:
        for scheme in ("light", "dark"):
            d.execute_cdp_cmd("Emulation.setEmulatedMedia",
                              {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
            for kind in KINDS:
                page(d, top, shots, kind, scheme)
            for rack in ("demo", "rack40"):
                size(d, 1000, 1200)
                d.get(f"file://{top}/{rack}.svg")
                d.save_screenshot(f"{shots}/{rack}-{scheme}.png")
                contrast(d, f"check --svg {rack}, {scheme}")
                say(not d.execute_script(BEYOND), f"check --svg {rack}, {scheme}: every text is inside of its box")
        hostile(d, top)
        size(d, 1280, 900)
        d.get(f"file://{top}/mixed/http/status/index.html#h53")
        say(d.execute_script("return document.querySelector(':target th').textContent") == "node-53",
            "the link of a box leads to the host's row")
    finally:
        d.quit()


main()
