# SPDX-License-Identifier: Apache-2.0
"""cut.py PID DISK TEXT SECONDS: cuts the power of a machine when it has written TEXT to its
disk: reads the disk image repeatedly while QEMU runs, and kills QEMU (PID, by SIGKILL) as soon
as TEXT is in it. Exits with 0 when QEMU was killed, with 1 when SECONDS have passed or QEMU has
ended, with 2 when the text was there from the beginning."""
import os
import signal
import sys
import time

pid, text = int(sys.argv[1]), sys.argv[3].encode()
end = time.monotonic() + float(sys.argv[4])
disk = os.open(sys.argv[2], os.O_RDONLY)


def is_written():
    at = 0
    while True:
        try:
            at = os.lseek(disk, at, os.SEEK_DATA)
        except OSError:  # only a hole from here to the end
            return False
        hole = os.lseek(disk, at, os.SEEK_HOLE)
        if text in os.pread(disk, hole - at + len(text), at):
            return True
        at = hole


if is_written():
    sys.exit(2)
while time.monotonic() < end:
    if is_written():
        os.kill(pid, signal.SIGKILL)
        sys.exit(0)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        sys.exit(1)
    time.sleep(0.01)
sys.exit(1)
