#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# test/build/containers.py make DIR	images in every form, below DIR, with DIR/facts
# test/build/containers.py serve DIR PORTFILE	a registry of them, read only, on the loopback
# test/build/containers.py load ARCHIVE NAME TAG
#	reads ARCHIVE as Docker 1.7.0 does (graph/load.go), and as 1.10 and later do, and
#	prints the two ids; any deviation is an error
import base64
import gzip
import hashlib
import http.server
import io
import json
import os
import re
import sys
import tarfile

V1ID = re.compile(r"^[0-9a-f]{64}$")


def sha(data):
    return hashlib.sha256(data).hexdigest()


def tar(*members):
    b = io.BytesIO()
    with tarfile.open(fileobj=b, mode="w", format=tarfile.USTAR_FORMAT) as t:
        for name, data, *more in members:
            m = tarfile.TarInfo(name)
            m.size, m.mode = len(data), 0o755
            if more:
                m.type, m.linkname, m.size = tarfile.SYMTYPE, more[0], 0
            t.addfile(m, io.BytesIO(data))
    return b.getvalue()


def dumps(j, indent=None):
    return json.dumps(j, indent=indent).encode()


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def make(top):
    def save(name, data):
        path = os.path.join(top, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(data)

    layers = [tar(("etc/a", b"1")), tar(("etc/b", b"22"), ("etc/.wh.a", b""))]
    packed = [gzip.compress(x, mtime=0) for x in layers]
    diffs = ["sha256:" + sha(x) for x in layers]
    run = {"Cmd": ["/x"], "Env": ["A=b"]}
    config = dumps({"created": "2015-06-30T01:02:03Z", "architecture": "amd64", "os": "linux",
                    "config": run, "rootfs": {"type": "layers", "diff_ids": diffs},
                    "history": [{"created_by": "one"}, {"created_by": "two"}]})

    # Manifests of schema 2 and of OCI.
    def manifest(media, config_media, layer_media):
        return dumps({"schemaVersion": 2, "mediaType": media,
                      "config": {"mediaType": config_media, "size": len(config),
                                 "digest": "sha256:" + sha(config)},
                      "layers": [{"mediaType": layer_media, "size": len(x),
                                  "digest": "sha256:" + sha(x)} for x in packed]})

    docker = "application/vnd.docker."
    oci = "application/vnd.oci.image."
    two = manifest(docker + "distribution.manifest.v2+json", docker + "container.image.v1+json",
                   docker + "image.rootfs.diff.tar.gzip")
    open_two = manifest(oci + "manifest.v1+json", oci + "config.v1+json",
                        oci + "layer.v1.tar+gzip")

    # Of schema 1, in the form that libtrust signs; the signature itself is not valid.
    ids = [sha(b"one"), sha(b"two")]
    v1 = [{"id": ids[0], "created": "2015-06-29T00:00:00Z",
           "container_config": {"Cmd": ["/bin/sh", "-c", "#(nop) ADD"]}},
          {"id": ids[1], "parent": ids[0], "created": "2015-06-30T00:00:00Z",
           "config": run, "architecture": "amd64", "os": "linux", "Size": 2}]
    payload = dumps({"schemaVersion": 1, "name": "team/one", "tag": "v1", "architecture": "amd64",
                     "fsLayers": [{"blobSum": "sha256:" + sha(x)} for x in reversed(packed)],
                     "history": [{"v1Compatibility": dumps(x).decode()} for x in reversed(v1)]},
                    indent=3)
    head, tail = payload[:-2], payload[-2:]
    assert tail == b"\n}"
    protected = b64(dumps({"formatLength": len(head), "formatTail": b64(tail),
                           "time": "2015-06-30T00:00:00Z"}))
    one = head + b""",
   "signatures": [ { "header": { "alg": "ES256" }, "signature": "AAAA",
      "protected": "%s" } ]
}""" % protected.encode()

    index = dumps({"schemaVersion": 2,
                   "mediaType": docker + "distribution.manifest.list.v2+json",
                   "manifests": [{"mediaType": docker + "distribution.manifest.v2+json",
                                  "size": len(two), "digest": "sha256:" + sha(two),
                                  "platform": {"os": "linux", "architecture": "amd64"}}]})

    for x in packed + [config]:
        save("blobs/sha256:" + sha(x), x)
    for name, tag, text, digest, media in (
            ("team/one", "v1", one, sha(payload), "distribution.manifest.v1+prettyjws"),
            ("team/two", "v1", two, sha(two), "distribution.manifest.v2+json"),
            ("team/many", "v1", index, sha(index), "distribution.manifest.list.v2+json")):
        for key in (tag, "sha256:" + digest):
            save("manifests/%s/%s" % (name, key), text)
            save("manifests/%s/%s.type" % (name, key), (docker + media).encode())
    save("manifests/team/many/sha256:" + sha(two), two)
    save("manifests/team/many/sha256:" + sha(two) + ".type",
         (docker + "distribution.manifest.v2+json").encode())

    # docker save: of 1.7, of 1.10 and later, with skopeo's links, and of 25 (OCI).
    def old(*extra):
        return tar(*[m for x, i, l in zip(v1, ids, layers) for m in
                     ((i + "/VERSION", b"1.0"), (i + "/json", dumps(x)), (i + "/layer.tar", l))],
                   ("repositories", dumps({"team/one": {"v1": ids[1]}})), *extra)

    names = [sha(x) + ".tar" for x in layers]
    entry = {"Config": sha(config) + ".json", "RepoTags": ["team/one:v1"], "Layers": names}
    other = {"Config": "none.json", "RepoTags": ["team/other:v1"], "Layers": []}
    new = [(n, x) for n, x in zip(names, layers)] + [(sha(config) + ".json", config)]
    linked = dict(entry, Layers=["l0/layer.tar", "l1/layer.tar"])
    blobs = ["blobs/sha256/" + sha(x) for x in packed]
    late = dict(entry, Config="blobs/sha256/" + sha(config), Layers=blobs)
    save("old.tar", old())
    save("new.tar", tar(*new, ("manifest.json", dumps([other, entry]))))
    save("linked.tar", tar(*new, ("l0/layer.tar", b"", "../" + names[0]),
                           ("l1/layer.tar", b"", "../" + names[1]),
                           ("manifest.json", dumps([linked]))))
    save("late.tar", tar(*zip(blobs, packed), (late["Config"], config),
                         ("manifest.json", dumps([late]))))
    save("late.tar.gz", gzip.compress(tar(*zip(blobs, packed), (late["Config"], config),
                                          ("manifest.json", dumps([late])))))
    save("oci.tar", tar(("manifest.json", open_two), *[(sha(x), x) for x in packed + [config]]))

    # OCI layouts, as archives: of skopeo and others, with the image in an index (of buildx),
    # with several images, and of Docker 25 and later, which has a manifest.json, too.
    def layout(entries, *more):
        return (("oci-layout", dumps({"imageLayoutVersion": "1.0.0"})),
                ("index.json", dumps({"schemaVersion": 2, "manifests": entries})),
                *[("blobs/sha256/" + sha(x), x) for x in packed + [config, open_two]], *more)

    def descriptor(data, media="manifest", **more):
        return dict({"mediaType": oci + media + ".v1+json", "size": len(data),
                     "digest": "sha256:" + sha(data)}, **more)

    def named(data, name, **more):
        return descriptor(data, annotations={"org.opencontainers.image.ref.name": name}, **more)

    foreign = descriptor(b"", platform={"os": "linux", "architecture": "arm64"})
    unknown = descriptor(b"", platform={"os": "unknown", "architecture": "unknown"})
    mine = descriptor(open_two, platform={"os": "linux", "architecture": "amd64"})
    listed = dumps({"schemaVersion": 2, "manifests": [foreign, mine, unknown]})
    in_list = ("blobs/sha256/" + sha(listed), listed)
    save("layout.tar", tar(*layout([descriptor(open_two)])))
    save("layout-tag.tar", tar(*layout([named(b"", "v2"), named(open_two, "v1")])))
    save("layout-name.tar", tar(*layout([
        named(b"", "team/other:v1"),
        descriptor(open_two, annotations={"io.containerd.image.name": "docker.io/team/one:v1",
                                          "org.opencontainers.image.ref.name": "v1"})])))
    save("layout-list.tar", tar(*layout([descriptor(listed, "index")], in_list)))
    save("layout-gz.tar.gz", gzip.compress(tar(*layout([descriptor(open_two)]))))
    save("layout-late.tar", tar(*layout([descriptor(open_two)]),
                                ("manifest.json", dumps([late]))))
    save("bad-layout-name.tar", tar(*layout([named(open_two, "v2"), named(open_two, "v3")])))
    save("bad-layout-arch.tar", tar(*layout([foreign])))
    save("bad-layout-blob.tar", tar(*layout([descriptor(b"gone")])))
    save("bad-layout-digest.tar", tar(*layout([dict(mine, digest="sha256:../../x")])))
    save("bad-layout-index.tar", tar(*layout([descriptor(listed, "index")],
                                             (in_list[0], listed + b" "))))
    save("bad-layout-config.tar", tar(*[m for m in layout([descriptor(open_two)])
                                        if not m[0].endswith(sha(config))]))
    deep, more = listed, [in_list]
    for i in range(4):
        deep = dumps({"manifests": [descriptor(deep, "index")]})
        more.append(("blobs/sha256/" + sha(deep), deep))
    save("bad-layout-deep.tar", tar(*layout([descriptor(deep, "index")], *more)))
    save("bad-nothing.tar", tar(("oci-layout", b"{}")))

    # Archives that must be refused.
    wrong = [packed[0], packed[1][:-1] + b"!"]
    save("bad-layer.tar", tar(*zip(blobs, wrong), (late["Config"], config),
                              ("manifest.json", dumps([late]))))
    save("bad-diff.tar", tar((names[0], layers[1]), (names[1], layers[1]),
                             (sha(config) + ".json", config), ("manifest.json", dumps([entry]))))
    save("bad-config.tar", tar(*new[:2], (sha(config) + ".json", config + b" "),
                               ("manifest.json", dumps([entry]))))
    save("bad-missing.tar", tar(*new[1:], ("manifest.json", dumps([entry]))))
    save("bad-name.tar", tar(*new, ("manifest.json", dumps([other, other]))))
    save("bad-id.tar", tar(("repositories", dumps({"team/one": {"v1": "../../etc"}}))))
    loop = [dict(v1[1], parent=ids[1])]
    save("bad-loop.tar", tar((ids[1] + "/json", dumps(loop[0])), (ids[1] + "/layer.tar", layers[0]),
                             ("repositories", dumps({"team/one": {"v1": ids[1]}}))))
    save("bad-html.tar", b"<html>")

    # Bombs, for a limit of 16 MiB.
    def bomb(name, blobs, members=None, wrap=lambda x: x):
        names = ["l%d" % i for i in range(len(blobs))] if members is None else members
        diffs = ["sha256:" + sha(gzip.decompress(x)) for x in blobs]
        text = dumps({"rootfs": {"diff_ids": diffs if members is None else diffs * len(members)}})
        save(name, wrap(tar(*zip(names, blobs), ("c.json", text), ("manifest.json", dumps([
            {"Config": "c.json", "RepoTags": ["team/one:v1"], "Layers": names}])))))

    zeros = [gzip.compress(bytes(6 << 20) + b"%d" % i, mtime=0) for i in range(4)]
    bomb("bad-layers.tar", zeros)
    bomb("bad-same.tar", zeros[:1], ["l"] * 100)
    bomb("bad-whole.tar.gz", [gzip.compress(bytes(99))], wrap=lambda x: gzip.compress(
        bytes(tar(("zeros", bytes(20 << 20))))[:-10240] + x))
    bomb("bad-twice.tar", [gzip.compress(zeros[0])])
    save("bad-text.tar", tar(("manifest.json", b"[" + b"{}," * (1 << 20) + b"{}]")))
    save("bad-values.tar", tar(("manifest.json", b"[" + b"{}," * 699000 + b"{}]")))
    save("bad-texts.tar", tar(*[(m, d) for i in range(20) for m, d in [
        ("%064x/json" % i, dumps({"id": "%064x" % i, "parent": "%064x" % (i + 1), "x": "x" * 1000000}))]],
        ("repositories", dumps({"team/one": {"v1": "%064x" % 0}}))))
    whole = tar(("l0", layers[0]), ("c.json", dumps({"rootfs": {"diff_ids": diffs[:1]}})),
                ("manifest.json", dumps([{"Config": "c.json", "RepoTags": ["team/one:v1"],
                                          "Layers": ["l0"]}])))
    save("whole.tar.gz", gzip.compress(whole))
    endless = dumps({"schemaVersion": 2, "mediaType": docker + "distribution.manifest.v2+json",
                     "config": {"mediaType": docker + "container.image.v1+json", "size": len(config),
                                "digest": "sha256:" + sha(config)},
                     "layers": [{"mediaType": docker + "image.rootfs.diff.tar.gzip", "size": 1000,
                                 "digest": "sha256:" + "e" * 64}]})
    save("manifests/team/endless/v1", endless)
    save("manifests/team/endless/v1.type", (docker + "distribution.manifest.v2+json").encode())
    save("facts", ("unpacked=%d one=sha256:%s two=sha256:%s many=sha256:%s id=%s config=%s oci=sha256:%s listed=sha256:%s\n" % (
        len(whole) + len(layers[0]), sha(payload), sha(two), sha(index), ids[1], sha(config),
        sha(open_two), sha(listed))).encode())


def serve(top, portfile):
    class Registry(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            kind = "application/json"
            m = re.match(r"^/v2/(.+)/(manifests|blobs)/([^/]+)$", self.path)
            path = m and (os.path.join(top, "manifests", m[1], m[3]) if m[2] == "manifests"
                          else os.path.join(top, "blobs", m[3]))
            if self.path.endswith("/blobs/sha256:" + "e" * 64):
                return self.endless()
            status, data = 404, b"{}"
            if self.path == "/v2/":
                status = 200
            elif path and os.path.exists(path):
                status, data = 200, open(path, "rb").read()
                if m[2] == "manifests":
                    kind = open(path + ".type").read()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        do_HEAD = do_GET

        def endless(self):
            self.send_response(200)
            self.send_header("Content-Type", "application/octet-stream")
            self.end_headers()
            self.close_connection = True
            try:
                while True:
                    self.wfile.write(bytes(65536))
            except OSError:
                pass

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    with open(portfile + ".new", "w") as f:
        f.write(str(server.server_address[1]))
    os.rename(portfile + ".new", portfile)
    server.serve_forever()


def load(archive, name, tag):
    with tarfile.open(archive) as t:
        members = {m.name: m for m in t}
        assert len(members) == len(t.getnames()), "a member twice"
        for m in members.values():
            assert m.uid == 0 and m.gid == 0 and m.mtime == 1435622400, m.name
            assert m.isdir() or m.isfile(), m.name

        def read(path):
            return t.extractfile(members[path]).read()

        graph = {}

        def recursive_load(address):
            if address in graph:
                return
            j = json.loads(read(address + "/json"))
            assert V1ID.match(j["id"]) and j["id"] == address, address
            assert read(address + "/VERSION") == b"1.0"
            tarfile.open(fileobj=io.BytesIO(read(address + "/layer.tar")), mode="r:")
            if j.get("parent"):
                recursive_load(j["parent"])
            graph[address] = j

        for d in sorted(n for n in members if members[n].isdir()):
            recursive_load(d)
        repositories = json.loads(read("repositories"))
        assert list(repositories) == [name] and list(repositories[name]) == [tag]
        top = repositories[name][tag]
        assert graph[top]["config"]["Cmd"] == ["/x"], "what it runs is lost"
        manifest = json.loads(read("manifest.json"))
        assert len(manifest) == 1 and manifest[0]["RepoTags"] == [name + ":" + tag]
        config = read(manifest[0]["Config"])
        assert manifest[0]["Config"] == sha(config) + ".json"
        j = json.loads(config)
        assert j["config"]["Cmd"] == ["/x"]
        chain, at = [], top
        while at:
            chain.insert(0, at + "/layer.tar")
            at = graph[at].get("parent")
        assert manifest[0]["Layers"] == chain, chain
        assert j["rootfs"]["diff_ids"] == ["sha256:" + sha(read(x)) for x in chain]
        assert len(j["history"]) == len(chain)
        print(top, sha(config))


{"make": make, "serve": serve, "load": load}[sys.argv[1]](*sys.argv[2:])
