#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test/lint/comments.py [--sample N SEED] [FOLDER]

Lists the comments of the files that git tracks in FOLDER (this repository), C, shell, make,
libconfig and systemd units, that begin with a word of a riddle instead of a verb or a noun,
"FILE:LINE: the first words", and last how many of how many they are, of C and of the others.
With --sample it prints N comments of C drawn at random instead, whole; the same SEED draws
the same ones.
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


# A block of lines that begin with "#".
BLOCK = re.compile(r"(?:^[ \t]*#(?!!).*\n?)+", re.M)
C = ("*.c", "*.h")
OTHERS = ("Makefile", "pxe/initramfs/*", "*.sh", "*.cfg", "*.conf", "*.service", "*.target",
          "*.timer", "*.socket", ":!test/fuzz/corpus")
SCRIPTS = ("test", ".ci")  # folders of scripts, whose names often have no suffix


def sources(folder, patterns):
    """Yields (file, text) of each tracked file that matches one of the patterns."""
    names = subprocess.run(
        ["git", "-C", folder, "ls-files", "-z", "--", *patterns],
        check=True, capture_output=True, text=True).stdout.split("\0")
    for name in filter(None, names):
        path = os.path.join(folder, name)
        if os.path.exists(path):
            with open(path, encoding="utf-8", errors="replace") as f:
                yield name, f.read()


def is_prose(text):
    """Returns False for licence lines, headings and instructions to tools."""
    return bool(text) and not text.startswith(("SPDX-", "---", "clang-format", "shellcheck "))


def c_comments(folder):
    """Yields (file, line, text) of each comment in C."""
    for name, source in sources(folder, C):
        for m in TOKEN.finditer(source):
            if m.group(1) is None:
                continue
            text = re.sub(r"\s*\n[ \t]*\*? ?", " ", m.group(1)).strip(" *\t\n")
            if is_prose(text):
                yield name, source.count("\n", 0, m.start()) + 1, text


def other_comments(folder):
    """Yields (file, line, text) of each paragraph of comment lines in the other files."""
    files = dict(sources(folder, OTHERS))
    files.update((name, source) for name, source in sources(folder, SCRIPTS)
                 if re.match(r"#!.*sh\n", source))
    for name, source in sorted(files.items()):
        for m in BLOCK.finditer(source):
            line = source.count("\n", 0, m.start()) + 1
            for part in re.split(r"^[ \t]*#[ \t]*\n", m.group(0), flags=re.M):
                text = re.sub(r"\s*\n?[ \t]*# ?", " ", part, flags=re.M).strip()
                if is_prose(text):
                    yield name, line, text
                line += part.count("\n") + 1


def report(what, found):
    """Prints the riddles among the comments and their share; returns their number."""
    riddles = [c for c in found if RIDDLE.match(c[2])]
    for name, line, text in riddles:
        print(f"{name}:{line}: {text[:60]}")
    share = 100 * len(riddles) / max(1, len(found))
    print(f"{what}: {len(riddles)} of {len(found)} comments ({share:.1f} %)")
    return len(riddles)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sample", nargs=2, type=int, metavar=("N", "SEED"))
    parser.add_argument("folder", nargs="?", default=".")
    args = parser.parse_args()
    found = list(c_comments(args.folder))
    if args.sample:
        count, seed = args.sample
        for name, line, text in random.Random(seed).sample(found, min(count, len(found))):
            print(f"{name}:{line}: {text}")
        return 0
    riddles = report("C", found)
    riddles += report("others", list(other_comments(args.folder)))
    return 1 if riddles else 0


if __name__ == "__main__":
    sys.exit(main())
