# SPDX-License-Identifier: Apache-2.0
"""manifest.py IMAGE-DIR UNSQUASHFS-LL LSINITRAMFS: exits with 0 when all three agree."""
import hashlib
import json
import os
import re
import sys

image, ll, initrd = sys.argv[1:]
bad = []
manifest = json.load(open(os.path.join(image, "manifest.json")))

sums = dict(line.split()[::-1] for line in open(os.path.join(image, "SHA256SUMS")))
outputs = {o["path"]: o for o in manifest["outputs"]}
for path, o in outputs.items():
    data = open(os.path.join(image, path), "rb").read()
    if len(data) != o["size"]:
        bad.append(f"{path}: {len(data)} bytes, the manifest says {o['size']}")
    if hashlib.sha256(data).hexdigest() != o["sha256"] or sums.get(path) != o["sha256"]:
        bad.append(f"{path}: digest differs")
for path in ("vmlinuz", "initrd.img", "root.squashfs"):
    if path not in outputs:
        bad.append(f"{path} is not in the manifest")
if set(sums) != set(outputs) | {"manifest.json", "manifest.spdx.json"}:
    bad.append(f"SHA256SUMS lists {sorted(sums)}")

# "-rwxr-xr-x root/root 123 2015-06-25 00:00 squashfs-root/usr/..." (-lls and -ll alike)
entry = re.compile(r"^([-dlcbps])([rwxsStT-]{9}) (\S+)/(\S+)\s+(\d+)(?:, *\d+)? \S+ \S+ squashfs-root(.*)$")
tree, total = {}, 0
for line in open(ll, errors="surrogateescape"):
    m = entry.match(line.rstrip("\n"))
    if not m:
        continue
    path, _, target = m[6].partition(" -> ")
    tree[path or "/"] = (m[1], m[2], int(m[5]), target)
    if m[1] == "-":
        total += int(m[5])
if len(tree) != manifest["root"]["entries"]:
    bad.append(f"unsquashfs lists {len(tree)} entries, the manifest says {manifest['root']['entries']}")


def rwx(mode):
    out = ""
    for shift, special, letter in ((6, 0o4000, "s"), (3, 0o2000, "s"), (0, 0o1000, "t")):
        b = mode >> shift & 7
        x = "x" if b & 1 else "-"
        if mode & special:
            x = letter if b & 1 else letter.upper()
        out += ("r" if b & 4 else "-") + ("w" if b & 2 else "-") + x
    return out


kinds = {"file": "-", "dir": "d", "link": "l"}
for f in manifest["files"]:
    have = tree.get(f["path"])
    if not have:
        bad.append(f"{f['path']} is in the manifest, not in the root")
        continue
    if have[0] != kinds[f["type"]]:
        bad.append(f"{f['path']}: type {have[0]}, the manifest says {f['type']}")
    if f["type"] != "link" and have[1] != rwx(int(f["mode"], 8)):
        bad.append(f"{f['path']}: mode {have[1]}, the manifest says {f['mode']}")
    if f["type"] == "file" and have[2] != f["size"]:
        bad.append(f"{f['path']}: size {have[2]}, the manifest says {f['size']}")

listed = {line.strip().lstrip("./") for line in open(initrd)}
for path in manifest["initrd"]:
    if path not in listed:
        bad.append(f"{path} is in the manifest, lsinitramfs does not list it")
if not manifest["packages"] or not any(p["name"] == "systemd" for p in manifest["packages"]):
    bad.append("the packages are not in the manifest")
if "root" not in manifest["users"] or "root" not in manifest["groups"]:
    bad.append("the users and groups are not in the manifest")
units = {u["unit"]: u["files"] for u in manifest["unit_files"]}
roles = {unit for role in manifest["roles"] for unit in role["units"]}
follows = {u["unit"]: u["follows"] for u in manifest["unit_files"]}
if set(units) != roles or not any(units.values()) or "docker.service" not in follows["calico-node.service"]:
    bad.append("the files of the roles' units are not in the manifest")
if not manifest["standins"]:
    bad.append("the stand-ins are not in the manifest")

for line in bad:
    print(line, file=sys.stderr)
sys.exit(bool(bad))
