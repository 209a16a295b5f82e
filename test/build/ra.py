#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Asks for an IPv6 router as iPXE does (RFC 4861) and prints the answer.

    ra.py INTERFACE

Sends router solicitations until one is answered, for at most a minute. Prints "router
lifetime N", N in seconds (0: not a default router), or "no answer".
"""
import socket
import struct
import sys
import time

SOLICIT, ADVERT = 133, 134


def main():
    s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, sys.argv[1].encode())
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
    s.settimeout(1)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            s.sendto(bytes([SOLICIT]) + bytes(7),
                     ("ff02::2", 0, 0, socket.if_nametoindex(sys.argv[1])))
            packet = s.recv(4096)
        except OSError:  # no address of its own yet, or nobody answered
            time.sleep(0.1)
            continue
        if packet[0] == ADVERT:
            print("router lifetime", struct.unpack("!H", packet[6:8])[0])
            return
    print("no answer")


main()
