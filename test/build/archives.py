#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# test/build/archives.py DIR: makes the archives that test/build/archives.sh tests
# builder/root/extract.c with, by Python's tarfile and zipfile, and field by field where they
# refuse. good-* have a member "bin/x" with the text "x", in the way that the name says; bad-* are
# hostile or damaged, and have that member as well.
import bz2
import gzip
import io
import lzma
import os
import struct
import subprocess
import sys
import tarfile
import zipfile

out = sys.argv[1]
os.makedirs(out, exist_ok=True)


def save(name, data):
    with open(os.path.join(out, name), "wb") as f:
        f.write(data)


def member(name, data=b"", kind=tarfile.REGTYPE, target="", mode=0o644, **more):
    m = tarfile.TarInfo(name)
    m.type, m.linkname, m.mode, m.size = kind, target, mode, len(data)
    for key, value in more.items():
        setattr(m, key, value)
    return m, data


def tar(*members, format=tarfile.PAX_FORMAT):
    b = io.BytesIO()
    with tarfile.open(fileobj=b, mode="w", format=format) as t:
        for m, data in members:
            t.addfile(m, io.BytesIO(data))
    return b.getvalue()


def zip_info(name, mode):  # mode 0: none in the archive, as older programs write it
    m = zipfile.ZipInfo(name)
    m.create_system, m.external_attr = 3, mode << 16
    return m


# A member is (NAME, DATA) or (NAME, DATA, MODE): 0o120777 is a symlink.
def zipped(*members, kind=zipfile.ZIP_DEFLATED, stream=False):
    class Pipe(io.BytesIO):  # no seeking back: sizes come behind the data
        def seekable(self):
            return False

        def seek(self, *args):
            raise OSError

    b = Pipe() if stream else io.BytesIO()
    with zipfile.ZipFile(b, "w", kind) as z:
        for name, data, *mode in members:
            z.writestr(zip_info(name, mode[0] if mode else 0o100644), data, kind)
    return b.getvalue()


def ar(*members, mode=0o100644):
    b = b"!<arch>\n"
    for name, data in members:
        b += b"%-16s%-12d%-6d%-6d%-8o%-10d`\n" % (name, 0, 0, 0, mode, len(data))
        b += data + b"\n" * (len(data) % 2)
    return b


def zstd(data, *options):
    return subprocess.run(["zstd", "-qc", *options], input=data, stdout=subprocess.PIPE,
                          check=True).stdout


x = member("bin/x", b"x", mode=0o755)
good = tar(x)

# Archives that must be read.
save("good-tar", good)
save("good-pax-long", tar(member("d/" * 120 + "deep"), x))
save("good-gnu-long", tar(member("d/" * 120 + "deep"), x, format=tarfile.GNU_FORMAT))
save("good-ustar", tar(x, format=tarfile.USTAR_FORMAT))
save("good-gz", gzip.compress(good))
save("good-gz-twice", gzip.compress(good[:600]) + gzip.compress(good[600:]))
save("good-bz2", bz2.compress(good))
save("good-xz", lzma.compress(good))
save("good-zst", zstd(good))
save("good-dot", tar(member("./", kind=tarfile.DIRTYPE), member("./bin/x", b"x")))
save("good-links", tar(x, member("l", kind=tarfile.SYMTYPE, target="bin/../bin/x"),
                       member("bin/h", kind=tarfile.LNKTYPE, target="bin/x")))
save("good-zip", zipped(("bin/x", "x")))
save("good-zip-stored", zipped(("bin/x", "x"), kind=zipfile.ZIP_STORED))
save("good-zip-stream", zipped(("other", "o" * 5000), ("bin/x", "x"), stream=True))
save("good-odd", tar(member("ü/\n", b"?"), member("-rf", b""), x))

acl = "user::rwx,user:1000:r-x,group::r-x,mask::r-x,other::r-x"
save("good-acl", tar(member("bin/x", b"x", pax_headers={"SCHILY.acl.access": acl})))
save("good-zstd-long", zstd(good, "--long=27"))

# Archives in archives: MEMBER!MEMBER names a file in them.
three = gzip.compress(tar(member("in.tar.gz", gzip.compress(tar(member("in.tar", good))))))
save("nested-in.tar.gz!in.tar!bin%x", three)
save("nested-data.tar.xz!.%bin%x", ar((b"debian-binary", b"2.0\n"),
     (b"control.tar.gz", gzip.compress(tar(member("./control", b"Package: x\n")))),
     (b"data.tar.xz", lzma.compress(tar(member("./bin/x", b"x"))))))
save("nested-data.tar.zst!bin%x", ar((b"debian-binary", b"2.0\n"),
                                     (b"data.tar.zst", zstd(good))))
# ar(1) and dpkg-deb(1) write a mode with a type, other programs do not.
save("nested-data.tar.gz!bin%x", ar((b"debian-binary", b"2.0\n"),
                                    (b"data.tar.gz", gzip.compress(good)), mode=0o644))
save("good-zip-no-type", zipped(("bin/", "", 0o755), ("bin/x", "x", 0o644)))
save("good-zip-no-mode", zipped(("bin/x", "x", 0)))
save("good-zip-symlink", zipped(("bin/y", "x", 0o120777), ("bin/x", "x")))
save("good-zip-gz", gzip.compress(zipped(("bin/x", "x"), ("bin/y", "x", 0o120777))))
save("good-zip-empty-stream", zipped(("bin/empty", ""), ("bin/x", "x"), stream=True))
save("nested-in.zip!bin%x", tar(member("in.zip", zipped(("bin/x", "x"), stream=True))))
save("nested-in.tar!bin%x", zipped(("in.tar", good)))


# Hostile or damaged archives, with the messages of their refusal.
def bad(name, data, why):
    save("bad-" + name, data)
    save("bad-" + name + ".why", ("bad-" + name + ": " + why + "\n").encode())


def hostile(name, m, why):
    bad(name, tar(x, m), "member '%s' %s: archive refused" % (m[0].name, why))


hostile("absolute", member("/etc/passwd", b"!"), "has an absolute name")
hostile("dotdot", member("../etc/passwd", b"!"), "has '..' in its name")
hostile("dotdot-deep", member("bin/../../etc/passwd", b"!"), "has '..' in its name")
hostile("symlink-absolute", member("l", kind=tarfile.SYMTYPE, target="/etc"),
        "is a symlink to something outside it")
hostile("symlink-up", member("a/l", kind=tarfile.SYMTYPE, target="../../etc"),
        "is a symlink to something outside it")
hostile("symlink-up-late", member("a/l", kind=tarfile.SYMTYPE, target="b/../../../etc"),
        "is a symlink to something outside it")
hostile("hardlink-absolute", member("h", kind=tarfile.LNKTYPE, target="/etc/shadow"),
        "is a hard link to something outside it")
hostile("hardlink-up", member("h", kind=tarfile.LNKTYPE, target="../etc/shadow"),
        "is a hard link to something outside it")
hostile("block", member("sda", kind=tarfile.BLKTYPE, devmajor=8),
        "is a device or another special file")
hostile("char", member("mem", kind=tarfile.CHRTYPE, devmajor=1, devminor=1),
        "is a device or another special file")
hostile("fifo", member("f", kind=tarfile.FIFOTYPE), "is a device or another special file")
hostile("twice", member("bin/x", b"y"), "is there twice")
hostile("twice-otherwise", member("./bin//x", b"y"), "is there twice")
hostile("twice-symlink", member("bin/x", kind=tarfile.SYMTYPE, target="y"), "is there twice")
link = "is a symlink to y, not a file (recipe.cfg:1)"
bad("wanted-symlink", tar(member("bin/x", kind=tarfile.SYMTYPE, target="y")),
    "member 'bin/x' " + link)
bad("wanted-directory", tar(member("bin/x", kind=tarfile.DIRTYPE)),
    "member 'bin/x/' is a directory, not a file (recipe.cfg:1)")
bad("missing", tar(member("bin/y", b"y")), "has no member 'bin/x' (recipe.cfg:1)")
bad("zip-dotdot", zipped(("bin/x", "x"), ("../../x", "!")),
    "member '../../x' has '..' in its name: archive refused")
# The types of a zip's members are in its directory, at the end.
for name, kind in ("deflated", zipfile.ZIP_DEFLATED), ("stored", zipfile.ZIP_STORED):
    linked = zipped(("bin/x", "y", 0o120777), kind=kind)
    bad("zip-symlink-" + name, linked, "member 'bin/x' " + link)
bad("zip-symlink-gz", gzip.compress(linked), "member 'bin/x' " + link)
bad("zip-symlink-up", zipped(("bin/x", "x"), ("bin/l", "../../etc/passwd", 0o120777)),
    "member 'bin/l' is a symlink to something outside it: archive refused")
bad("zip-directory", zipped(("bin/x/", "", 0o40755)),
    "member 'bin/x/' is a directory, not a file (recipe.cfg:1)")
for kind in zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED:
    lies = bytearray(zipped(("bin/x", "x" * 5000), kind=kind, stream=True))
    at = lies.index(b"PK\1\2")
    lies[at + 24:at + 28] = struct.pack("<I", 1)  # the member's size
    bad("zip-size-%d" % kind, bytes(lies), "*")
other = bytearray(zipped(("bin/x", "x"), ("bin/y", "y")))
at = other.index(b"bin/y")
other[at:at + 5] = b"bin/z"  # in front of the data
bad("zip-two-names", bytes(other),
    "member 'bin/z' has the name 'bin/y' in the zip's directory: archive refused")
bad("zip-two-names-gz", gzip.compress(other),
    "member 'bin/z' has the name 'bin/y' in the zip's directory: archive refused")
bad("zip-two-names-behind", b"PK\3\4" + bytes(other),
    "member 'bin/z' has the name 'bin/y' in the zip's directory: archive refused")
bad("zip-absolute", zipped(("bin/x", "x"), ("/x", "!")),
    "member '/x' has an absolute name: archive refused")

# Bombs; the limit that archives.sh gives is 1 MiB.
zeros = b"\0" * (8 << 20)
over = "unpacks to more than the limit of 1.0 MiB: refused (LIMIT raises the limit)"
bad("bomb-gz", gzip.compress(tar(member("zeros", zeros), x)), "at member 'zeros': " + over)
bad("bomb-xz", lzma.compress(tar(member("zeros", zeros), x)), "at member 'zeros': " + over)
bad("bomb-many", gzip.compress(tar(x, *[member("z%d" % i, zeros[:300000]) for i in range(9)])),
    "at member 'z3': " + over)
bad("bomb-zip-stream", zipped(("zeros", zeros), ("bin/x", "x"), stream=True),
    "at member 'zeros': " + over)
bad("bomb-wanted", zipped(("bin/x", zeros), stream=True),
    "at member 'bin/x': " + over)
huge = bytearray(tar(x, member("huge", b"")))
at = huge.index(b"huge")
huge[at + 124:at + 136] = b"\x80" + struct.pack(">QHB", 1 << 50, 0, 0)  # base 256: 2^74
huge[at + 148:at + 156] = b" " * 8
huge[at + 148:at + 156] = b"%06o\0 " % sum(huge[at:at + 512])
bad("size-huge", bytes(huge), "*")

# Truncated archives, in every layer.
bad("cut-data", tar(member("bin/x", b"x" * 3000))[:1500],
    "at member 'bin/x': Truncated tar archive")
bad("cut-header", tar(x, member("y", b"y"))[:1024 + 100], "*")
bad("cut-between", tar(x)[:1024], "cut off: no end mark behind member 'bin/x'")
bad("cut-gz", gzip.compress(good)[:-20], "*")
bad("cut-xz", lzma.compress(good)[:-40], "*")
no_directory = "is cut off: a zip ends with a directory of its members"
bad("cut-zip", zipped(("bin/x", "x" * 999), kind=zipfile.ZIP_STORED)[:500], no_directory)
bad("cut-zip-directory", zipped(("bin/x", "x"))[:-30], no_directory)
window = "needs a window of %s to be decompressed, more than the limit of 128.0 MiB: refused: " \
    "compress it with --long=27 or less"
bad("zstd-long", zstd(good, "--long=31"), window % "2.0 GiB")
bad("zstd-long-second", zstd(good[:700]) + zstd(good[700:], "--long=28"), window % "256.0 MiB")
# One segment (RFC 8878, 3.1.1.1.2), whose window is its content of 4 GiB.
bad("zstd-segment", struct.pack("<IBQ", 0xfd2fb528, 0xe0, 1 << 32), window % "4.0 GiB")
bad("empty", b"", "Unrecognized archive format")
bad("html", b"<!DOCTYPE html><title>404</title>", "Unrecognized archive format")
