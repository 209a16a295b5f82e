#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test/page-tree.py DIR KIND [HOSTS]

Makes what the status page reads of a boot tree, with reports and an access log as of NOW:
tree.cfg, http/report, http/images and run. KIND is "empty" (no host was ever heard of), "half"
(one of each state), "failed" (most hosts have failed), "ready" (all are), "mixed" (by the host's
number, for a large rack), "long" (names and reasons of the greatest length) or "hostile" (reports with
texts that would be markup).
"""
import json
import os
import sys

NOW = 1780000000  # 2026-05-28 20:26:40 UTC
IMAGE = "1a2b3c4d-5e6f"
SIZES = {"vmlinuz": 8000, "initrd.img": 32000, "root.cpio": 360000}
MARKUP = "</td><script>alert(1)</script><img src=x onerror=alert(1)>&\"'\u202e\x1b[31m"


def report(name, role, address, verdict, why=None, warnings=(), uptime=31200):
    phases = [["kernel", 4200], ["initramfs", 1100], ["system", 6300], ["firstboot", 400]]
    if verdict == "ready":
        phases.append(["units", uptime - 12000])
    return {"format": 1, "host": name, "role": role, "address": address, "verdict": verdict,
            "why": why, "config_sha256": "ab" * 32, "boot_id": "0-1", "generation": 1,
            "uptime_ms": uptime, "phases": [{"name": n, "ms": ms} for n, ms in phases],
            "units": [], "warnings": list(warnings)}


def script(mac, address, at):
    return f'{at:.3f} {address} "GET /hosts/{mac.replace(":", "-")}.ipxe HTTP/1.1" 200 900 0.001'


def image(name, address, at):
    return f'{at:.3f} {address} "GET /images/{IMAGE}/{name} HTTP/1.1" 200 {SIZES[name]} 1.500'


WHY = ["docker.service is failed (exit-code), its last line: cannot start: no space left on device",
       "http://10.3.0.10:8080/api/v1beta3/nodes/node-7: the condition Ready is Unknown (Kubelet "
       "stopped posting node status.)",
       "etcd.service is activating (auto-restart, exit-code)"]


def state_of(kind, i):
    if kind == "half":
        return ["ready", "ready", "units", "kernel", "loading", "asked", "failed", "silent",
                "stalled", "warned", "broken", "ready"][i % 12]
    if kind == "failed":
        return "failed" if i % 4 else "ready"
    if kind == "mixed":
        return {0: "failed", 1: "silent", 2: "loading", 3: "units", 4: "kernel"}.get(i * 7 % 53, "ready")
    return {"empty": "silent", "ready": "ready", "hostile": "hostile", "long": "long"}[kind]


def host(tree, log, i, name, role, mac, address, state):
    asked = NOW - 60 - i % 30
    if state == "silent":
        return
    if state == "stalled":
        asked -= 600
    log.append(script(mac, address, asked))
    if state in ("loading", "kernel", "stalled"):
        log.append(image("vmlinuz", address, asked + 2))
        log.append(image("initrd.img", address, asked + 4))
    if state in ("kernel", "ready", "units", "failed", "warned"):
        log.append(image("root.cpio", address, asked + 9.5))
    full = None
    if state in ("ready", "warned"):
        full = report(name, role, address + "/16", "ready", uptime=25000 + i * 137 % 9000,
                      warnings=["/dev/sdb is not used: it is not blank"] if state == "warned" else [])
    elif state == "units":
        full = report(name, role, address + "/16", "starting")
    elif state == "failed":
        full = report(name, role, address + "/16", "failed", WHY[i % 3])
    elif state == "long":
        full = report(name, role, address + "/16", "failed", "w" * 2000, ["v" * 300])
    elif state == "hostile":
        full = report(name, role, address, "failed", MARKUP * 12, [MARKUP] * 5)
    path = f"{tree}/http/report/{name}.json"
    if full:
        with open(path, "w") as f:
            json.dump(full, f)
    elif state == "broken":
        with open(path, "w") as f:
            f.write("{ \"format\": 2 }")
    if os.path.exists(path):
        os.utime(path, (asked + 40, asked + 40))


def main():
    tree, kind = sys.argv[1:3]
    n = int(sys.argv[3]) if len(sys.argv) > 3 else 12
    for d in ("http/report", "http/images/" + IMAGE, "run"):
        os.makedirs(f"{tree}/{d}")
    for name, size in SIZES.items():
        with open(f"{tree}/http/images/{IMAGE}/{name}", "w") as f:
            f.truncate(size)
    hosts, log = [], []
    for i in range(n):
        name, role = ("master", "master") if i == 0 else (f"node-{i}", "node")
        if kind == "long":
            name, role = f"{i:02d}" + "m" * 61, "r" * 63
        if kind == "hostile":
            role = "<b>&\\\"role"
        if n > 100 and i % 100 == 99:
            name, role = f"store-{i // 100}", "store"
        mac = f"52:54:00:{i >> 16:02x}:{i >> 8 & 255:02x}:{i & 255:02x}"
        address = f"10.3.{(i + 10) // 250}.{(i + 10) % 250 + 1}"
        hosts.append(f'\t{{ name = "{name}"; role = "{role}"; mac = "{mac}"; address = "{address}/16"; }}')
        host(tree, log, i, name, role, mac, address, state_of(kind, i))
    with open(f"{tree}/tree.cfg", "w") as f:
        f.write(f'version = 1;\nrack = "{kind}";\nimage = "bookworm-vm";\nboot_server = "10.3.0.1";\n'
                "http_port = 80;\nproxy_dhcp = false;\nhosts = (\n" + ",\n".join(hosts) + "\n);\n")
    with open(f"{tree}/run/access.log", "w") as f:
        f.writelines(line + "\n" for line in log)


main()
