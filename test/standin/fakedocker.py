#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# test/standin/fakedocker.py SOCKET LOG [BRIDGE [API-VERSION]]: the part of Docker's API that
# the stand-ins use, with images and containers that are recorded and never run. Every request is a
# line in LOG; the program in an imported image is written to LOG.calicoctl and the configuration of
# a container to LOG.container. As with Docker 1.7.0, no container starts on a host without
# /etc/resolv.conf.
import http.server
import io
import json
import os
import re
import socketserver
import sys
import tarfile
import time
import urllib.parse

SOCKET, LOG = sys.argv[1:3]
BRIDGE = sys.argv[3] if len(sys.argv) > 3 else "cbr0"
API = sys.argv[4] if len(sys.argv) > 4 else "1.41"
images, containers = {}, {}


def version(_):
    return 200, {"Version": "20.10.24", "ApiVersion": API}


def network(_):
    return 200, {"Name": "bridge", "Options": {"com.docker.network.bridge.name": BRIDGE}}


def image_get(r):
    name = r.match[1]
    return (200, images[name]) if name in images else (404, {"message": f"No such image: {name}"})


def image_import(r):
    with tarfile.open(fileobj=io.BytesIO(r.body)) as tar:
        with open(LOG + ".calicoctl", "wb") as f:
            f.write(tar.extractfile("calicoctl").read())
    name = f"{r.query['repo'][0]}:{r.query['tag'][0]}"
    images[name] = {"Id": "sha256:" + "0" * 64, "changes": r.query["changes"]}
    return 200, {"status": "sha256:" + "0" * 64}


def container_create(r):
    config = json.loads(r.body)
    name = r.query.get("name", [f"unnamed_{len(containers)}"])[0]
    if name in containers:
        return 409, {"message": f"Conflict. The container name \"/{name}\" is already in use"}
    if config["Image"] not in images:
        return 404, {"message": f"No such image: {config['Image']}"}
    if config["HostConfig"].get("RestartPolicy", {}).get("Name", "") == "Always":
        return 400, {"message": "invalid restart policy 'Always'"}
    with open(LOG + ".container", "wb") as f:
        f.write(r.body)
    containers[name] = {"Id": f"{len(containers) + 1:064x}", "Running": False}
    return 201, {"Id": containers[name]["Id"], "Warnings": []}


def find(what):
    for name, c in containers.items():
        if what in (name, c["Id"]):
            return name
    return None


def with_container(action):
    def handler(r):
        name = find(r.match[1])
        if not name:
            return 404, {"message": f"No such container: {r.match[1]}"}
        return action(name)
    return handler


def inspect(name):
    return 200, {"Id": containers[name]["Id"], "State": {"Running": containers[name]["Running"]}}


def start(name):
    try:
        open("/etc/resolv.conf", "rb").close()
    except FileNotFoundError:
        return 500, {"message": "open /etc/resolv.conf: no such file or directory"}
    containers[name]["Running"] = True
    return 204, None


def stop(name):
    was, containers[name]["Running"] = containers[name]["Running"], False
    return (204 if was else 304), None


def wait(name):
    while name in containers and containers[name]["Running"]:
        time.sleep(0.1)
    return 200, {"StatusCode": 0}


def remove(name):
    del containers[name]
    return 204, None


ROUTES = [
    ("GET", r"/version", version),
    ("GET", r"/networks/bridge", network),
    ("GET", r"/images/(.+)/json", image_get),
    ("POST", r"/images/create", image_import),
    ("POST", r"/containers/create", container_create),
    ("GET", r"/containers/([^/]+)/json", with_container(inspect)),
    ("POST", r"/containers/([^/]+)/start", with_container(start)),
    ("POST", r"/containers/([^/]+)/stop", with_container(stop)),
    ("POST", r"/containers/([^/]+)/wait", with_container(wait)),
    ("DELETE", r"/containers/([^/]+)", with_container(remove)),
]


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def answer(self):
        url = urllib.parse.urlsplit(self.path)
        self.query = urllib.parse.parse_qs(url.query)
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, reply = 404, {"message": "page not found"}
        for method, pattern, handler in ROUTES:
            self.match = re.fullmatch(pattern, url.path)
            if method == self.command and self.match:
                status, reply = handler(self)
                break
        with open(LOG, "a", encoding="utf-8") as f:
            f.write(f"{self.command} {url.path} {status}\n")
        data = b"" if reply is None else json.dumps(reply).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_DELETE = answer


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def get_request(self):
        request, _ = super().get_request()
        return request, ("docker", 0)


if os.path.exists(SOCKET):
    os.unlink(SOCKET)
Server(SOCKET, Handler).serve_forever()
