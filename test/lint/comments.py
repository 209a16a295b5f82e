#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test/lint/comments.py [--sample N SEED] [FOLDER]

Lists the comments of the C files that git tracks in FOLDER (this repository) that begin
with a word of a riddle instead of a verb or a noun, "FILE:LINE: the first words", and
last how many of how many they are. With --sample it prints N comments drawn at random
instead, whole; the same SEED draws the same ones.
"""
import argparse
import os
import random
import re
import subprocess
import sys

RIDDLE = re.compile(r"(What|Whether|Who|That|Of|As|Where|Once|To)\b")
# Strings are matched first, so that no comment begins inside one.
TOKEN = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|/\*(.*?)\*/', re.S)


def comments(folder):
    """Yields (file, line, text) of each comment but licence lines and headings."""
    names = subprocess.run(
        ["git", "-C", folder, "ls-files", "-z", "--", "*.c", "*.h"],
        check=True, capture_output=True, text=True).stdout.split("\0")
    for name in filter(None, names):
        path = os.path.join(folder, name)
        if not os.path.exists(path):
            continue
        with open(path, encoding="utf-8", errors="replace") as f:
            source = f.read()
        for m in TOKEN.finditer(source):
            if m.group(1) is None:
                continue
            text = re.sub(r"\s*\n[ \t]*\*? ?", " ", m.group(1)).strip(" *\t\n")
            if text and not text.startswith(("SPDX-", "---", "clang-format")):
                yield name, source.count("\n", 0, m.start()) + 1, text


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sample", nargs=2, type=int, metavar=("N", "SEED"))
    parser.add_argument("folder", nargs="?", default=".")
    args = parser.parse_args()
    found = list(comments(args.folder))
    if args.sample:
        count, seed = args.sample
        for name, line, text in random.Random(seed).sample(found, min(count, len(found))):
            print(f"{name}:{line}: {text}")
        return 0
    riddles = [c for c in found if RIDDLE.match(c[2])]
    for name, line, text in riddles:
        print(f"{name}:{line}: {text[:60]}")
    share = 100 * len(riddles) / max(1, len(found))
    print(f"{len(riddles)} of {len(found)} comments ({share:.1f} %)")
    return 1 if riddles else 0


if __name__ == "__main__":
    sys.exit(main())
