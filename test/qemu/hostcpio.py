# SPDX-License-Identifier: Apache-2.0
"""hostcpio.py CPIO OLD NEW [OLD NEW...]: replaces text in a host's cpio, atomically. OLD must
occur once, and NEW must be as long, so that no size in the archive changes."""
import os
import sys

path = sys.argv[1]
data = open(path, "rb").read()
for old, new in zip(sys.argv[2::2], sys.argv[3::2]):
    old, new = old.encode(), new.encode()
    if data.count(old) != 1 or len(old) != len(new):
        sys.exit(f"{path}: {old!r} occurs {data.count(old)} times; lengths {len(old)}, {len(new)}")
    data = data.replace(old, new)
with open(path + ".new", "wb") as f:
    f.write(data)
os.replace(path + ".new", path)
