#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# test/faultd.py DIR PORTFILE [CERT KEY CERT KEY...]: a web server on the loopback that makes
# the faults it is asked for. /KIND-ARG/NAME is the file DIR/NAME, served with the fault KIND;
# NAME.b, where a fault needs one, is the file's later content. Each fault counts the requests for
# its own path, so that "the first time" means for that URL.
#
# PORTFILE gets the port for http, then one for https for each certificate, a line each. The server
# is a proxy as well: a request for a whole URL is answered for its path. PORTFILE.log has the
# method, target, Range and If-Range of each request, PORTFILE.logins its host, target,
# Authorization and Proxy-Authorization. With "-" as a CERT the port is one for http.
import base64
import collections
import http.server
import os
import socket
import ssl
import struct
import sys
import threading
import time

FOLDER, PORT_FILE = sys.argv[1:3]
CERTIFICATES = list(zip(sys.argv[3::2], sys.argv[4::2]))
PAGE = b"<!DOCTYPE html>\n<html><head><title>Log in</title></head><body>hotel</body></html>\n"
OLD = "Mon, 01 Jun 2015 12:00:00 GMT"
counts = collections.Counter()
asked = {}  # path -> the time of its first request
lock = threading.Lock()
ports = []


def read(name):
    with open(os.path.join(FOLDER, os.path.basename(name)), "rb") as f:
        return f.read()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        target = self.path
        if "://" in target:
            target = "/" + target.split("/", 3)[3]
        with lock:
            counts[target] += 1
            self.turn = counts[target]
            with open(PORT_FILE + ".log", "a") as f:
                print(self.command, self.path, self.headers.get("Range", "-"),
                      self.headers.get("If-Range", "-"), file=f)
            with open(PORT_FILE + ".logins", "a") as f:
                print(self.headers.get("Host"), self.path, self.headers.get("Authorization", "-"),
                      self.headers.get("Proxy-Authorization", "-"), file=f)
        kind, _, name = target.lstrip("/").partition("/")
        kind, _, self.arg = kind.partition("-")
        self.name = name.partition("?")[0].partition(";")[0]
        try:
            getattr(self, "serve_" + kind)()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    # --- parts of answers ------------------------------------------------------------

    def whole(self, data, etag='"a"', start=0, length=None, headers=(), total=None):
        """Sends the head: 206 from `start`, or 200. Content-Length is `length`, or the right one;
        `total` is the size of the whole file."""
        self.send_response(206 if start else 200)
        for key, value in headers:
            self.send_header(key, value)
        if etag:
            self.send_header("ETag", etag)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{total or len(data)}")
        if length is None:
            length = len(data) - start
        if length >= 0:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def start(self, etag='"a"'):
        """Returns the first byte of a request that may resume a download."""
        wanted = self.headers.get("Range", "")
        if not wanted.startswith("bytes=") or self.headers.get("If-Range", etag) != etag:
            return 0
        return int(wanted[6:].split("-")[0])

    def cut(self):
        self.wfile.flush()
        self.close_connection = True

    def fine(self, data=None, etag='"a"', headers=()):
        data = read(self.name) if data is None else data
        start = self.start(etag)
        if start >= len(data):
            start = 0
        self.whole(data, etag, start, headers=headers)
        self.wfile.write(data[start:])

    # --- the faults ------------------------------------------------------------------

    def serve_ok(self):
        self.fine()

    def serve_cut(self):  # the first time, at ARG per cent
        data = read(self.name)
        if self.turn > 1:
            return self.fine(data)
        self.whole(data)
        self.wfile.write(data[:len(data) * int(self.arg) // 100])
        self.cut()

    def serve_always(self):  # every time, after another ARG per cent
        data, start = read(self.name), self.start()
        self.whole(data, start=start)
        self.wfile.write(data[start:start + len(data) * int(self.arg) // 100])
        self.cut()

    def serve_sulk(self):  # cut in the middle; four times a byte; then all of it
        data, start = read(self.name), self.start()
        if self.turn > 5:
            return self.fine(data)
        self.whole(data, start=start)
        self.wfile.write(data[start:start + (1 if start else len(data) // 2)])
        self.cut()

    def serve_reset(self):  # the first time, by a reset in the middle
        data = read(self.name)
        if self.turn > 1:
            return self.fine(data)
        self.whole(data)
        self.wfile.write(data[:len(data) // 2])
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.cut()

    def serve_changed(self):  # cut in the middle; then it is another file
        data = read(self.name)
        if self.turn > 1:
            return self.fine(read(self.name + ".b"), '"b"')
        self.whole(data)
        self.wfile.write(data[:len(data) // 2])
        self.cut()

    def serve_liar(self):  # the same, but says that it is still the same file
        data = read(self.name)
        if self.turn > 1:
            return self.fine(read(self.name + ".b"), '"a"')
        self.whole(data)
        self.wfile.write(data[:len(data) // 2])
        self.cut()

    def serve_deaf(self):  # resumes whatever If-Range says, with the new file's ETag
        data = read(self.name)
        if self.turn == 1:
            self.whole(data)
            self.wfile.write(data[:len(data) // 2])
            return self.cut()
        data = read(self.name + ".b")
        start = self.start(self.headers.get("If-Range", ""))
        self.whole(data, '"b"', start)
        self.wfile.write(data[start:])

    def partly(self, total=None):
        data, start = read(self.name), self.start()
        if self.turn == 1:
            self.whole(data)
            self.wfile.write(data[:len(data) // 2])
            return self.cut()
        end = start + max(1, len(data) * int(self.arg) // 100) if start else len(data)
        self.whole(data[:end], start=start, total=total or len(data))
        self.wfile.write(data[start:end])

    def serve_partly(self):  # cut in the middle, then it answers with ARG per cent at a time
        self.partly()

    def serve_partlystar(self):  # and does not say of how much that is a part
        self.partly("*")

    def serve_weak(self):  # cut in the middle, with nothing to hold the rest up to
        data = read(self.name)
        headers = [("Last-Modified", self.date_time_string())]
        if self.turn > 1:
            return self.fine(data, 'W/"a"', headers)
        self.whole(data, 'W/"a"', headers=headers)
        self.wfile.write(data[:len(data) // 2])
        self.cut()

    def serve_dated(self):  # cut in the middle, with a date only
        data = read(self.name)
        start = self.start(OLD) if self.turn > 1 else 0
        self.whole(data, None, start, headers=[("Last-Modified", OLD)])
        self.wfile.write(data[start:] if self.turn > 1 else data[:len(data) // 2])
        self.cut()

    def serve_drip(self):  # slowly, ARG milliseconds before each thirtieth
        data, step = read(self.name), len(read(self.name)) // 30 + 1
        self.whole(data)
        for at in range(0, len(data), step):
            time.sleep(int(self.arg) / 1000)
            self.wfile.write(data[at:at + step])
            self.wfile.flush()

    def serve_stall(self):  # the first time it stops in the middle, until the client hangs up
        data = read(self.name)
        if self.turn > 1:
            return self.fine(data)
        self.whole(data)
        self.wfile.write(data[:len(data) // 2])
        self.wfile.flush()
        self.connection.recv(1)
        self.cut()

    def serve_held(self):  # stops before the end, until the file NAME.go exists
        data = read(self.name)
        self.whole(data)
        self.wfile.write(data[:-1])
        self.wfile.flush()
        while not os.path.exists(os.path.join(FOLDER, self.name + ".go")):
            time.sleep(0.05)
        self.wfile.write(data[-1:])

    def serve_busy(self):  # the first two times, with status ARG
        if self.turn > 2:
            return self.fine()
        self.send_response(int(self.arg))
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def serve_later(self):  # the first time, and asks to be asked again in ARG seconds, not earlier
        if self.turn > 1:
            early = time.monotonic() < asked[self.path] + 0.9 * int(self.arg)
            return self.send_error(404) if early else self.fine()
        asked[self.path] = time.monotonic()
        self.send_response(429 if self.turn == 1 else 503)
        self.send_header("Retry-After", self.arg)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def serve_status(self):  # always ARG
        self.send_response(int(self.arg))
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def redirect(self, to):
        self.send_response(302)
        self.send_header("Location", to)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def login(self):
        """Answers 401 unless the request has the user name "me" and the password "PASSWORD"."""
        if self.headers.get("Authorization") == "Basic " + base64.b64encode(b"me:PASSWORD").decode():
            return True
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="x"')
        self.send_header("Content-Length", "0")
        self.end_headers()
        return False

    def serve_login(self):
        if self.login():
            self.fine()

    def serve_elsewhere(self):  # after a login, to another host, with login, parameter and query
        if self.login():
            self.redirect(f"http://them:PASSWORD@localhost:{ports[0]}/ok/{self.name};sig=PASSWORD?token=PASSWORD")

    def serve_beside(self):  # after a login, to another folder of the same host
        if self.login():
            self.redirect(f"/login/{self.name}")

    def serve_otherhost(self):  # after a login, to another host that wants one, too
        if self.login():
            self.redirect(f"http://localhost:{ports[0]}/login/{self.name}")

    def serve_otherport(self):  # after a login, to another port of the same host
        if self.login():
            self.redirect(f"http://127.0.0.1:{ports[1]}/login/{self.name}")

    def serve_query(self):  # needs a query, and breaks off the first time
        if self.path.partition("?")[2] != "token=PASSWORD":
            return self.send_error(403)
        data = read(self.name)
        if self.turn > 1:
            return self.fine(data)
        self.whole(data)
        self.wfile.write(data[:len(data) // 2])
        self.cut()

    def serve_loop(self):
        self.redirect(self.path)

    def serve_hops(self):  # ARG of them
        left = int(self.arg)
        self.redirect(f"/hops-{left - 1}/{self.name}" if left > 1 else f"/ok/{self.name}?token=secret")

    def serve_down(self):  # from wherever to http
        self.redirect(f"http://127.0.0.1:{ports[0]}/ok/{self.name}")

    def serve_file(self):  # to a file of the machine that asks
        self.redirect(f"file://{os.path.join(FOLDER, self.name)}")

    def chunks(self, data, end=True):
        self.whole(data, length=-1, headers=[("Transfer-Encoding", "chunked")])
        for at in range(0, len(data), 50000):
            piece = data[at:at + 50000]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        if end:
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.cut()

    def serve_chunked(self):
        self.chunks(read(self.name))

    def serve_chunkcut(self):  # the first time without its last half and chunk
        data = read(self.name)
        if self.turn > 1:
            return self.chunks(data)
        self.chunks(data[:len(data) // 2], False)

    def serve_close(self):  # no length; the end of the connection is the end
        data = read(self.name)
        self.whole(data, length=-1)
        self.wfile.write(data)
        self.cut()

    def serve_closecut(self):  # and the first time that comes too early
        data = read(self.name)
        start = self.start()
        self.whole(data, start=start, length=-1)
        self.wfile.write(data[start:] if self.turn > 1 else data[:len(data) // 2])
        self.cut()

    def serve_endless(self):  # with status ARG, for ever
        self.send_response(int(self.arg))
        if self.arg == "302":
            self.send_header("Location", f"/ok/{self.name}")
        self.end_headers()
        self.close_connection = True
        while True:
            self.wfile.write(b"x" * 65536)

    def serve_endlesschunks(self):  # with status ARG
        self.send_response(int(self.arg))
        if self.arg == "302":
            self.send_header("Location", f"/ok/{self.name}")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while True:
            self.wfile.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")

    def serve_announced(self):  # says that it has 2^ARG bytes, and sends them
        self.whole(b"", length=1 << int(self.arg))
        while True:
            self.wfile.write(b"x" * 65536)

    def serve_short(self):  # another file, without the last byte
        self.fine(read(self.name)[:-1])

    def serve_long(self):
        self.fine(read(self.name) + b"x")

    def serve_altered(self):  # one bit in the middle
        data = bytearray(read(self.name))
        data[len(data) // 2] ^= 1
        self.fine(bytes(data))

    def serve_html(self):
        self.fine(PAGE, headers=[("Content-Type", "text/html")])

    def serve_empty(self):
        self.fine(b"")


def main():
    servers = [http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)]
    for cert, key in CERTIFICATES:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if cert == "-":
            servers.append(server)
            continue
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        server.socket = context.wrap_socket(server.socket, server_side=True,
                                            do_handshake_on_connect=False)
        servers.append(server)
    for server in servers:
        server.handle_error = lambda *args: None
        ports.append(server.server_port)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    with open(PORT_FILE + ".new", "w") as f:
        f.writelines(f"{port}\n" for port in ports)
    os.rename(PORT_FILE + ".new", PORT_FILE)
    threading.Event().wait()


main()
