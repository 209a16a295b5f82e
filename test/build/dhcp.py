#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Asks for an address as a booting machine does (RFC 2131, RFC 4578) and prints the offer.

    dhcp.py INTERFACE KNOWN-MAC MAC ARCH [ipxe] [http] [uuid=UUID]

Sends a DHCPDISCOVER as a raw frame from MAC, with the client architecture ARCH (0: BIOS,
7 or 9: UEFI x64, 16: UEFI x64 by HTTP), for "ipxe", option 175, for "http" the vendor class
of HTTP boot, and the UUID, or zeros, as option 97; then one from KNOWN-MAC, which the server is
known to answer. It answers one request after the other: if the offer for KNOWN-MAC comes first,
there is none for MAC. Prints "NAME VALUE" lines, or "no offer". Exits with 1 when there is no
offer for KNOWN-MAC either, for a minute. With "-" for KNOWN-MAC it only sends the first request.
"""
import os
import socket
import struct
import sys
import time
import uuid

PXE_OPTIONS = bytes([55, 8, 1, 3, 6, 12, 42, 66, 67, 175])


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def discover(mac, xid, arch, ipxe=False, http=False, machine=uuid.UUID(int=0)):
    options = bytes([53, 1, 1]) + PXE_OPTIONS
    vendor = (b"HTTPClient" if http else b"PXEClient") + b":Arch:%05d:UNDI:002001" % arch
    options += bytes([60, len(vendor)]) + vendor
    options += bytes([93, 2]) + struct.pack("!H", arch)
    options += bytes([94, 3, 1, 2, 1, 97, 17, 0]) + machine.bytes_le
    if ipxe:
        options += bytes([77, 4]) + b"iPXE" + bytes([175, 3, 177, 1, 1])
    bootp = struct.pack("!BBBBIHH", 1, 1, 6, 0, xid, 0, 0x8000) + bytes(16)
    bootp += mac + bytes(10 + 64 + 128) + bytes([99, 130, 83, 99]) + options + b"\xff"
    udp = struct.pack("!HHHH", 68, 67, 8 + len(bootp), 0) + bootp
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0,
                     bytes(4), b"\xff" * 4)
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    return b"\xff" * 6 + mac + b"\x08\x00" + ip + udp


def parse(frame, xid):
    """(bootp fixed part, options by code) of the reply, or None."""
    if frame[12:14] != b"\x08\x00" or frame[23] != 17:
        return None
    bootp = frame[14 + (frame[14] & 15) * 4 + 8:]
    if len(bootp) < 240 or bootp[0] != 2 or struct.unpack("!I", bootp[4:8])[0] != xid:
        return None
    options, i = {}, 240
    while i < len(bootp) and bootp[i] != 255:
        if bootp[i] == 0:
            i += 1
            continue
        options[bootp[i]] = bootp[i + 2:i + 2 + bootp[i + 1]]
        i += 2 + bootp[i + 1]
    return bootp, options


def text(raw):
    return raw.split(b"\0")[0].decode("ascii", "replace")


def show(bootp, options):
    print("address", socket.inet_ntoa(bootp[16:20]))
    print("server", socket.inet_ntoa(bootp[20:24]))
    print("file", text(bootp[108:236]) or text(options.get(67, b"")))
    for name, code in (("mask", 1), ("router", 3), ("dns", 6), ("ntp", 42)):
        if code in options:
            raw = options[code]
            print(name, " ".join(socket.inet_ntoa(raw[i:i + 4])
                                 for i in range(0, len(raw), 4)))
    if 12 in options:
        print("name", text(options[12]))
    if 175 in options:
        print("ipxe", options[175].hex())
    if 60 in options:
        print("class", text(options[60]))
    if 43 in options:
        print("vendor", options[43].hex())


def await_offer(s, requests):
    """Sends the requests of (xid, frame), again every three seconds, until one of them is
    answered. Returns (xid, reply)."""
    end, again = time.monotonic() + 60, 0
    while time.monotonic() < end:
        if time.monotonic() >= again:
            for _, frame in requests:
                s.send(frame)
            again = time.monotonic() + 3
        try:
            frame = s.recv(4096)
        except socket.timeout:
            continue
        for xid, _ in requests:
            found = parse(frame, xid)
            if found:
                return xid, found
    sys.exit("no offer, not even for the known machine")


def main():
    interface = sys.argv[1]
    known, mac = (bytes.fromhex(a.strip("-").replace(":", "")) for a in sys.argv[2:4])
    xids = struct.unpack("!III", os.urandom(12))
    machine = uuid.UUID(([a[5:] for a in sys.argv[5:] if a.startswith("uuid=")] or ["0" * 32])[0])
    wanted = discover(mac, xids[1], int(sys.argv[4]), "ipxe" in sys.argv[5:], "http" in sys.argv[5:], machine)
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    s.bind((interface, 0))
    s.settimeout(1)
    if not known:
        s.send(wanted)
        return
    await_offer(s, [(xids[0], discover(known, xids[0], 0))])
    xid, found = await_offer(s, [(xids[1], wanted), (xids[2], discover(known, xids[2], 0))])
    if xid == xids[1]:
        show(*found)
    else:
        print("no offer")


main()
