#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test/lint/features.py

Reads the table of features and all sources of the product, and prints what of a feature is outside
of the feature's own files, "FILE:LINE: why": the name of a key as a string, the id of a key
(HOST_...) or of a feature (FEATURE_...), a feature's values in a host, and a word that only one
stack of programs has. It prints also each feature without a file of its name, each file in a folder
of features that is no feature's, and each row of the tables below that is not needed.
"""
import glob
import os
import re
import subprocess
import sys

# FILE: (WORDS, REASON). The file may have these words in its code.
EXCEPTIONS = {
    "builder/base/base-tree.c": ("docker", "apt's settings in images that Docker made"),
    "builder/input/inputs.c": ("docker", "the scheme of URLs of container registries"),
    "builder/recipe/container-name.c": ("docker", "the registry that a name without one means"),
    "builder/recipe/container-name.h": ("docker", "the scheme of URLs of container registries"),
    "builder/recipe/recipe-containers.c": ("calico", "the name of a container image in a message"),
    "builder/recipe/recipe-units.c": ("FEATURE_NETWORK_ENVIRONMENT network-environment",
                                      "the file that has what ${NAME} in `ready` stands for"),
    "builder/root/container-input.c": ("docker", "an archive of `docker save`"),
    "builder/root/container-json.c": ("docker", "manifests of container registries"),
    "builder/root/host-needs.c": ("docker", "the program that loads a recipe's containers"),
    "firstboot/firstboot.c": ("bgp calico etcd docker", "commands that single features have"),
    "firstboot/model/template-environment.c": ("environment", "the format EnvironmentFile="),
    "firstboot/ready.c": ("network-environment", "the file that has what ${NAME} stands for"),
    "firstboot/units/rackstrap-containers.service":
        ("calico docker kube kubelet", "loads a recipe's containers into Docker, before its users"),
    "firstboot/units/rackstrap-firstboot.service": ("docker", "runs before a service, if it is there"),
    "firstboot/units/rackstrap-heal.service":
        ("kube kubelet nat", "repairs them, in images whose roles have such a feature"),
    "firstboot/units/rackstrap-heal.timer": ("nat", "the same"),
    "pxe/tree-kea.c": ("pools", "addresses for strangers, in Kea's configuration"),
    "pxe/initramfs/rackstrap":
        ("docker etcd kubelet", "folders of /var/lib that do not work in an overlay"),
}

# Files in firstboot/model/feature/ and firstboot/feature/ that are a part of a feature.
PARTS = {
    "firstboot/model/feature/bgp.c": "peers of 'calico', read by the rack's checks too",
    "firstboot/feature/etcd.c": "the requests of 'calico'",
}

# Features whose code is in the file of another one.
IN_FILE = {"kubernetes-master": "kubernetes"}

# Places that find a feature by its name, which came from a recipe or a manifest.
FINDERS = {"firstboot/model/feature.c", "firstboot/model/roles.c", "pxe/image-json.c"}

WORDS = "cbr0|calico|etcd|bgp|docker|kube|kubernetes|kubelet|nat|network-environment"
OWN = re.compile(r"(firstboot|firstboot/model|firstboot/plan|pxe)/(feature/.*|features?\.[ch])")
TOKEN = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|/\*.*?\*/|//[^\n]*', re.S)


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def without_comments(text, is_c):
    """Returns the text with blanks in place of comments, so that lines keep their numbers."""
    if not is_c:
        return re.sub(r"(?m)^[ \t]*#.*", "", text)
    return TOKEN.sub(lambda m: m.group() if m.group()[0] in "\"'"
                     else "\n" * m.group().count("\n"), text)


def tables():
    """Returns the names of all features, and those and the ids of their keys."""
    features, keys, ids = [], [], []
    for path in sorted(glob.glob("firstboot/model/feature/*.c")):
        text = read(path)
        for row in re.findall(r"^const struct feature feature_.*?^};", text, re.S | re.M):
            features.append(re.search(r'\.name = "([^"]+)"', row).group(1))
        for key_id, name in re.findall(r'\{\.id = (HOST_\w+),\s*\.name = "([^"]+)"', text):
            ids.append(key_id)
            keys.append(name)
    return features, keys, ids


def sources():
    names = subprocess.run(
        ["git", "ls-files", "-z", "--", "firstboot", "pxe", "builder", "lib"],
        check=True, capture_output=True, text=True).stdout.split("\0")
    return [n for n in names if n and os.path.isfile(n) and not OWN.fullmatch(n)]


def main():
    features, keys, ids = tables()
    if len(features) < 8 or len(keys) < 15:
        print("test/lint/features.py: finds no table of features")
    patterns = [
        (re.compile(r'"(' + "|".join(keys) + r')"'), "the key"),
        (re.compile(r"\b(" + "|".join(ids) + r")\b"), "the key"),
        (re.compile(r"\b(FEATURE_(?!COUNT\b|BIT\b|KEY_IDS\b)[A-Z_]+)\b"), "the feature"),
        (re.compile(r"(?:->|\.)(f\.\w+)"), "a feature's value"),
        (re.compile(r"(?<![a-zA-Z])(" + WORDS + r")(?![a-zA-Z])", re.I), "the word"),
    ]
    used = set()
    for path in sources():
        text = without_comments(read(path), path.endswith((".c", ".h")))
        allowed = EXCEPTIONS.get(path, ("", ""))[0].split()
        for number, line in enumerate(text.split("\n"), 1):
            for pattern, what in patterns:
                for m in pattern.finditer(line):
                    word = m.group(1)
                    match = [a for a in allowed if a.lower() == word.lower()]
                    used.update((path, a) for a in match)
                    if not match:
                        print(f"{path}:{number}: {what} '{word}' belongs to a feature's file")
        if "feature_find(" in text and path not in FINDERS:
            print(f"{path}:1: asks for a feature by its name: add a member to struct feature")
    for path, (words, _) in EXCEPTIONS.items():
        for word in words.split():
            if (path, word) not in used:
                print(f"test/lint/features.py:1: {path} no longer has '{word}'")
    for name in features:
        path = f"firstboot/model/feature/{IN_FILE.get(name, name)}.c"
        if not os.path.exists(path):
            print(f"{path}:1: does not exist, but there is a feature '{name}'")
    for folder in ("firstboot/model/feature", "firstboot/plan/feature", "firstboot/feature",
                   "pxe/feature"):
        for path in sorted(glob.glob(folder + "/*.c")):
            if os.path.basename(path)[:-2] not in features and path not in PARTS:
                print(f"{path}:1: is named after no feature")
    for path in PARTS:
        if not os.path.exists(path):
            print(f"test/lint/features.py:1: {path} does not exist")


if __name__ == "__main__":
    sys.exit(main())
