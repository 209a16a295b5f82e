#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# test/build/bombs.py DIR: makes small archives that unpack to much, or ask for much memory when they
# are read, below DIR. DIR/list has a line for each: the archive, the member that print-member is asked
# for with a limit of 256 MiB, and the message of the refusal.
import bz2
import lzma
import os
import struct
import subprocess
import sys
import zlib

MIB = 1 << 20
BLOCK = 65536
top = sys.argv[1]
os.makedirs(top, exist_ok=True)


# --- tar ---------------------------------------------------------------------------------


def header(name, size, kind=b"0"):
    h = bytearray(512)
    h[:len(name)] = name
    h[100:108] = h[108:116] = h[116:124] = b"0000644\0"
    h[124:136] = b"%011o\0" % size if size < 1 << 33 else b"\x80" + struct.pack(
        ">QHB", size >> 24, size >> 8 & 0xffff, size & 0xff)
    h[136:148] = b"%011o\0" % 0
    h[156:157] = kind
    h[257:265] = b"ustar\x0000"
    h[148:156] = b" " * 8
    h[148:156] = b"%06o\0 " % sum(h)
    return bytes(h)


def pax(*pairs):
    out = b""
    for key, value in pairs:
        rest = b" " + key + b"=" + value + b"\n"
        n = len(rest)
        while len(b"%d" % n) + len(rest) != n:
            n = len(b"%d" % n) + len(rest)
        out += b"%d" % n + rest
    return header(b"pax", len(out), b"x") + out + bytes(-len(out) % 512)


# --- compression -------------------------------------------------------------------------


def zstd(*pieces, level="-1"):
    """Compresses pieces, each a pair of bytes and how often they come."""
    p = subprocess.Popen(["zstd", "-qc", level], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    # What comes out is less than the pipe holds.
    for data, times in pieces:
        for _ in range(times):
            p.stdin.write(data)
    p.stdin.close()
    out = p.stdout.read()
    p.wait()
    return out


def zstd_frame(window_log, *parts):
    """A frame of raw blocks, and of RLE blocks, each 128 KiB of zeros in four bytes (RFC 8878,
    3.1.1). A part is a pair: bytes and 0, or None and the number of RLE blocks."""
    blocks = []
    for data, times in parts:
        blocks += [(len(piece) << 3, piece) for piece in (
            data[at:at + (128 << 10)] for at in range(0, len(data or b""), 128 << 10))]
        blocks += [(128 << 13 | 1 << 1, b"\0")] * times
    out = b"\x28\xb5\x2f\xfd" + bytes([0, window_log - 10 << 3])
    for i, (head, data) in enumerate(blocks):
        out += struct.pack("<I", head | (i + 1 == len(blocks)))[:3] + data
    return out


def deflated(*pieces):
    c = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([c.compress(data * times) for data, times in pieces]) + c.flush()


def xz(data, dictionary):
    """The dictionary's size is a byte of the block's header (xz-file-format.txt, 5.3.1), which is
    followed by its CRC32."""
    out = lzma.compress(data)
    size = (out[12] + 1) * 4
    head = bytearray(out[12:12 + size - 4])
    head[head.index(b"\x21\x01") + 2] = dictionary
    return out[:12] + head + struct.pack("<I", zlib.crc32(head)) + out[12 + size:]


files = []


def save(name, member, data, why):
    with open(os.path.join(top, name), "wb") as f:
        f.write(data)
    files.append("%s %s %s: %s\n" % (name, member, name, why))


X = "bin/x"
limit = "unpacks to more than the limit of 256.0 MiB: refused (LIMIT raises the limit)"
large = header(b"zeros", 3 << 30)
zeros = bytes(MIB)

# Content.
save("gzip", X, deflated((large, 1), (zeros, 64)), "at member 'zeros': " + limit)
save("bzip2", X, bz2.compress(large + zeros), "at member 'zeros': " + limit)
save("xz", X, xz(large + zeros, 0), "at member 'zeros': " + limit)
save("endless.zst", X, zstd((header(b"a", 0) * 2048, 300)), "at member 'a': " + limit)
save("hole.zst", X, zstd((pax((b"GNU.sparse.major", b"1"), (b"GNU.sparse.minor", b"0"), (
    b"GNU.sparse.name", b"x"), (b"GNU.sparse.realsize", b"%d" % (1 << 50))) + header(b"x", 512) +
    (b"1\n%d\n0\n" % (1 << 50)).ljust(1024, b"\0"), 1)), "at member 'x': " + limit)

# Windows and dictionaries.
small = "of memory to be decompressed, more than the limit of 132.0 MiB: refused: compress it " \
    "with a smaller dictionary"
save("window.zst", X, zstd_frame(31, (large, 0), (None, 400)),
     "needs a window of 2.0 GiB to be decompressed, more than the limit of 128.0 MiB: refused: compress it with --long=27 or less")
save("dictionary.xz", X, xz(large + zeros, 37), "needs 1.5 GiB " + small)
alone = bytearray(lzma.compress(large + zeros, lzma.FORMAT_ALONE))
alone[1:5] = struct.pack("<I", 1 << 31)
save("dictionary.lzma", X, bytes(alone), "needs 2.0 GiB " + small)
nested = zstd((large, 1), (zeros, 300))
for _ in range(8):
    nested = zstd((nested, 1))
save("nested.zst", X, nested, "is compressed more than once (zstd in zstd): refused")
deep = large + zeros
for log in (23, 24, 26, 27):  # of each level the largest window, and as much data
    head = header(b"z", 1 << log) + bytes(512)
    deep = zstd_frame(log, (head[:512], 0), (None, 1 << (log - 17)), (header(b"in", len(deep)) + deep, 0))
save("deep.zst", "in!in!in!in!" + X, deep, "in: in: in: in: at member 'zeros': " + limit)

# Headers, before the first entry.
head = "has a header of more than 4 MiB: refused"
sparse = pax((b"GNU.sparse.major", b"1"), (b"GNU.sparse.minor", b"0"), (b"GNU.sparse.name", b"x"),
             (b"GNU.sparse.realsize", b"0")) + header(b"x", 100 * MIB) + b"%d\n" % (30 * MIB)
save("sparse-map.zst", X, zstd((sparse, 1), (b"0\n0\n" * (MIB // 4), 40)), head)
save("cpio-name.zst", X, zstd((b"070701" + b"%08x" % 1 + b"%08x" % 0o100644 + b"0" * 16 +
                               b"%08x" % 1 + b"0" * 48 + b"%08x" % (1 << 29) + b"0" * 8, 1),
                              (b"a" * MIB, 300)), head)
save("ar-names.zst", X, zstd((b"!<arch>\n" + b"%-16s%-12d%-6d%-6d%-8o%-10d`\n" % (
    b"//", 0, 0, 0, 0o644, 1 << 29), 1), (b"a" * MIB, 300)), head)
save("pax.zst", X, zstd((header(b"pax", 1 << 30, b"x"), 1), (b"a" * MIB, 8)), "Special header too large")
save("longname.zst", X, zstd((header(b"long", 1 << 30, b"L"), 1), (b"a" * MIB, 8)), "Special header too large")
save("names.zst", X, zstd((header(b"long", 4001, b"L") + b"a" * 4000 + bytes(96) + header(b"a", 0),
                           26000)), "has more than 96 MiB of members' names: refused")

# Access control lists, for which libarchive takes quadratic time; also where their name is cut
# in two by the reader's pieces of 32 KiB.
acl = b",".join(b"user:u%d:rwx:%d" % (i, i) for i in range(20000))
head = "has a header of more than 64 KiB with access control lists: refused"
save("acl.tar.zst", X, zstd((pax((b"SCHILY.acl.access", acl)) + header(b"a", 0), 1)), head)
for cut in 1, 5, 10:
    start = pax((b"SCHILY.xattr.user.x", b"x" * 30000), (b"SCHILY.acl.access", acl)).index(b"SCHILY.acl")
    save("acl-%d.tar.zst" % cut, X, zstd((pax(
        (b"SCHILY.xattr.user.x", b"x" * (30000 + 32768 - cut - start)),
        (b"SCHILY.acl.access", acl)) + header(b"a", 0), 1)), head)

# A gzip whose name has 400 MiB, in a tar.
save("gzip-name.zst", "in.gz!" + X, zstd((header(b"in.gz", 400 * MIB), 1), (
    b"\x1f\x8b\x08\x08\0\0\0\0\0\3".ljust(MIB, b"a"), 1), (b"a" * MIB, 399)), "at member 'in.gz': " + limit)
save("gzip-name", "in.gz!" + X, zstd((header(b"in.gz", 200 * MIB), 1), (
    b"\x1f\x8b\x08\x08\0\0\0\0\0\3".ljust(MIB, b"a"), 1), (b"a" * MIB, 199)),
    "in.gz: gzip data of more than 16 MiB without content: refused")

# A zip whose member asks for a dictionary of 3 GiB (APPNOTE.TXT 5.8).
data = struct.pack("<HHBI", 0x1309, 5, 0x5d, 3 << 30) + bytes(100)
local = struct.pack("<HHHHHIIIHH", 63, 0, 14, 0, 0, 0, len(data), 1 << 20, 5, 0)
directory = struct.pack("<IH", 0x02014b50, 0x33f) + local + bytes(14) + b"bin/x"
start = struct.pack("<I", 0x04034b50) + local + b"bin/x" + data
save("lzma.zip", X, start + directory + struct.pack("<IHHHHIIH", 0x06054b50, 0, 0, 1, 1, len(directory),
                                                    len(start), 0),
     "member 'bin/x' is compressed by a method other than deflate and bzip2: refused")

with open(os.path.join(top, "list"), "w") as f:
    f.writelines(files)
