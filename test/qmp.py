#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""qmp.py SOCKET COMMAND [NAME=VALUE...]: sends one command to a QEMU, such as system_reset,
device_del id=disk1 or set_link name=n0 up=false. Exits with 1 and QEMU's message on an error."""
import json
import socket
import sys

path, command, *words = sys.argv[1:]
values = {"true": True, "false": False}
arguments = {k: values.get(v, v) for k, v in (w.split("=", 1) for w in words)}

s = socket.socket(socket.AF_UNIX)
s.settimeout(300)
s.connect(path)
f = s.makefile("rw")
f.readline()  # the greeting
for execute, given in ("qmp_capabilities", {}), (command, arguments):
    f.write(json.dumps({"execute": execute, "arguments": given}) + "\n")
    f.flush()
    answer = json.loads(f.readline())
    while "event" in answer:
        answer = json.loads(f.readline())
    if "error" in answer:
        sys.exit(answer["error"]["desc"])
