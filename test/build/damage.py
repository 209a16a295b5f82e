#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# test/build/damage.py KINDS CACHE IMAGE [REPAIR...] -- BUILD...
#
# Damages every file of a cache in some of the ways below, one at a time, and runs BUILD. The image
# must then be the same to the byte; or BUILD fails with an error that names a command to run, and
# REPAIR, if that is given, makes the same image. Afterwards the file is restored. KINDS is the number of ways that
# each file is damaged in, or 0 for all; the choice goes on from file to file.
#
# Prints "N damages: N the same image, N errors", and each case that is wrong as "bad: ...".
import filecmp
import os
import shutil
import signal
import subprocess
import sys

# Locks and logs are not read; the others hold no file between two builds.
NOT_READ = ("lock/", "left/", "partial/")


def files(cache):
    for folder, _, names in sorted(os.walk(cache)):
        for name in sorted(names):
            path = os.path.join(folder, name)
            if not os.path.relpath(path, cache).startswith(NOT_READ) and not name.endswith(".log"):
                yield path


def write(path, data):
    with open(path, "r+b") as f:
        f.write(data)
        f.truncate()


def flip(at):
    def damage(path, data, _):
        if not data:
            return False
        i = {"first": 0, "middle": len(data) // 2, "last": len(data) - 1}[at]
        write(path, data[:i] + bytes([data[i] ^ 1]) + data[i + 1:])
        return True
    return damage


def keep_times(path, data, _):
    """Another byte, with size and mtime as before."""
    if not data:
        return False
    st = os.stat(path)
    write(path, data[:-1] + bytes([data[-1] ^ 0x40]))
    os.utime(path, ns=(st.st_atime_ns, st.st_mtime_ns))
    return True


def empty(path, data, _):
    write(path, b"")
    return bool(data)


def half(path, data, _):
    write(path, data[:len(data) // 2])
    return bool(data)


def all_but_one(path, data, _):
    write(path, data[:-1])
    return bool(data)


def append(path, data, _):
    write(path, data + b"x")
    return True


def append_zeros(path, data, _):
    write(path, data + bytes(4096))
    return True


def exchange(path, data, others):
    """The contents of the file of that name of another entry, or else of any neighbour."""
    same = [o for o in others if os.path.basename(o) == os.path.basename(path) and o != path]
    near = [o for o in others if os.path.dirname(o) == os.path.dirname(path) and o != path]
    for other in same + near:
        with open(other, "rb") as f:
            new = f.read()
        if new != data:
            write(path, new)
            return True
    return False


def delete(path, *_):
    os.unlink(path)
    return True


def folder(path, *_):
    os.unlink(path)
    os.mkdir(path)
    return True


def fifo(path, *_):
    os.unlink(path)
    os.mkfifo(path)
    return True


def dangling(path, *_):
    os.unlink(path)
    os.symlink("nowhere", path)
    return True


KINDS = [("empty", empty), ("first bit", flip("first")), ("half", half), ("appended", append),
         ("exchanged", exchange), ("same times", keep_times), ("middle bit", flip("middle")),
         ("fifo", fifo), ("last bit", flip("last")), ("zeros appended", append_zeros),
         ("deleted", delete), ("last byte cut", all_but_one), ("folder", folder),
         ("dangling link", dangling)]


def restore(path, data, link):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)
    if link:
        os.symlink(link, path)
        return
    with open(path, "wb") as f:
        f.write(data)


def same(image, want):
    names = sorted(os.listdir(want))
    return sorted(os.listdir(image)) == names and \
        filecmp.cmpfiles(image, want, names, shallow=False)[0] == names


def run(command):
    p = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                         start_new_session=True)
    try:
        _, said = p.communicate(timeout=600)
    except subprocess.TimeoutExpired:
        os.killpg(p.pid, signal.SIGKILL)
        p.communicate()
        return -1, "not ended after 600 s"
    return p.returncode, said.strip().split("\n")[-1]


def one(what, image, want, repair, build):
    """Runs the build, for an image that is not there yet. Returns "same" or "error"; prints what is wrong."""
    shutil.rmtree(image, ignore_errors=True)
    rc, said = run(build)
    if rc == 0:
        if not same(image, want):
            print(f"bad: {what}: exit 0 and another image")
        return "same"
    if rc != 1 or "run again with" not in said:
        print(f"bad: {what}: exit {rc}: {said}")
    rc, said = run(repair) if repair else (0, "")
    if repair and (rc != 0 or not same(image, want)):
        print(f"bad: {what}: cannot be repaired: exit {rc}: {said}")
    return "error"


def main():
    kinds, cache, image = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    dashes = sys.argv.index("--")
    repair, build = sys.argv[4:dashes], sys.argv[dashes + 1:]
    want = image + ".want"
    shutil.copytree(image, want)
    counts = {"same": 0, "error": 0}
    turn = 0
    for path in list(files(cache)):
        name = os.path.relpath(path, cache)
        link = os.readlink(path) if os.path.islink(path) else None
        with open(path, "rb") as f:
            data = f.read()
        done = 0
        for _ in range(len(KINDS)):
            if kinds and done == kinds:
                break
            kind, damage = KINDS[turn % len(KINDS)]
            turn += 1
            if link and damage not in (delete, folder, fifo, dangling):
                continue
            if damage(path, data, list(files(cache))):
                done += 1
                counts[one(f"{name}: {kind}", image, want, repair, build)] += 1
            restore(path, data, link)
    print(f"{sum(counts.values())} damages: {counts['same']} the same image, {counts['error']} errors")


main()
