#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# test/httpd.py DIR PORTFILE: serves a folder on the loopback, on a free port, and writes the
# port's number to PORTFILE when it listens. Supports one byte range from a start to the end, which
# resuming a download needs. Runs until it is killed.
import functools
import http.server
import os
import re
import sys


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def send_head(self):
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        path = self.translate_path(self.path)
        if not wanted or not os.path.isfile(path):
            return super().send_head()
        f = open(path, "rb")
        size, start = os.fstat(f.fileno()).st_size, int(wanted[1])
        if start >= size:
            f.close()
            self.send_error(416)
            return None
        f.seek(start)
        self.send_response(206)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        self.send_header("Content-Length", str(size - start))
        self.end_headers()
        return f


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: test/httpd.py DIR PORTFILE")
    folder, port_file = sys.argv[1:]
    if not os.path.isdir(folder):
        sys.exit(f"{folder}: not a folder")
    handler = functools.partial(Handler, directory=folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    with open(port_file + ".new", "w") as f:
        f.write(f"{server.server_port}\n")
    os.rename(port_file + ".new", port_file)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


main()
