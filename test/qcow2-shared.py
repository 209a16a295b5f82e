#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# test/qcow2-shared.py FILE SIZE CLUSTER-BITS: writes a qcow2 whose disk has SIZE bytes of data, all of
# them one cluster of the file (docs/interop/qcow2.txt of QEMU).
import struct
import sys

path, size, bits = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
cluster = 1 << bits
per_l2 = cluster // 8
l1 = (size // cluster + per_l2 - 1) // per_l2
l1_clusters = (l1 * 8 + cluster - 1) // cluster
at_l1, at_l2 = 3, 3 + l1_clusters
data = at_l2 + 1
with open(path, "wb") as f:
    def put(what):
        f.write(what)
        f.seek(-f.tell() % cluster, 1)
    put(struct.pack(">4sIQIIQIIQQIIQ", b"QFI\xfb", 2, 0, 0, bits, size, 0, l1, at_l1 * cluster,
                    cluster, 1, 0, 0))
    put(struct.pack(">Q", 2 * cluster))
    put(struct.pack(">%dH" % (data + 1), *[1] * (data + 1)))
    put(struct.pack(">Q", at_l2 * cluster) * l1)
    put(struct.pack(">Q", data * cluster) * per_l2)
    f.write(b"\xaa" * cluster)
