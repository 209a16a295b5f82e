#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# The checks of test/lint/units.sh. Each is a function that yields complaints about a set of
# units; the last part of this file runs the same functions on broken units, and every one of
# these must give a complaint.
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

UNITS = "images/common/units"
OWN = "firstboot/units"  # those that rackstrap adds to every image with roles
ROLES = ("master", "node")
DROPINS = {"images/common/files/docker.conf": "docker.service"}
DOCKER = "images/common/docker-1.7.0"  # for recipes whose base has no Docker
RECIPES = sorted(glob.glob("images/*/recipe.cfg"))

# Units of the base that ours name.
STOCK = set("""
    basic.target multi-user.target shutdown.target network.target network-pre.target
    network-online.target local-fs.target docker.service docker.socket ssh.service
    systemd-networkd.service systemd-modules-load.service systemd-sysctl.service
    systemd-tmpfiles-setup.service systemd-udev-trigger.service
""".split())

# The files that firstboot writes for units, with their variables; the first in both of its forms.
ENVIRONMENT = {
    "/etc/network-environment": set("""
        DEFAULT_IPV4 KUBERNETES_MASTER ETCD_AUTHORITY KUBE_API_ROOT CALICOCTL_PATH
        SERVICE_CLUSTER_IP_RANGE CLUSTER_DNS
    """.split()),
    "/etc/default/docker": {"DOCKER_OPTS"},
}

SECTIONS = {  # by a unit's suffix, besides Unit and Install
    ".service": {"Service"},
    ".timer": {"Timer"},
    ".target": set(),
    ".socket": {"Socket"},
}
REFERENCES = """Requires Wants BindsTo PartOf Requisite Conflicts Before After OnFailure
    WantedBy RequiredBy Also""".split()
VERSIONS = {"etcd": "2.0.9", "docker": "1.7.0"}  # the others are 0.20.2
DOCKER_SHORT = {"-d": "--daemon", "-H": "--host"}
CALICOCTL = [r"checksystem --fix", r"node --ip=\$\{DEFAULT_IPV4\}"]
FIRSTBOOT = {"apply", "report --wait", "pool", "containers", "heal", "route"}
# calicoctl, and the kubelet, which runs it and the plugin.
PYINSTALLER = {"calicoctl", "kubelet"}

SSH_KEYS = {"rm", "ssh-keygen", "sync"}  # test/lint/ssh-keys.sh runs them


class Unit:
    """Sections as lists of (key, value, line); complaints about the syntax in .bad."""

    def __init__(self, name, text):
        self.name, self.text, self.bad, self.entries = name, text, [], []
        section, line_no, joined = None, 0, ""
        for number, line in enumerate(text.split("\n"), 1):
            if not joined:
                line_no = number
                if not line.strip() or line.lstrip()[0] in "#;":
                    continue
            if line.endswith("\\"):
                joined += line[:-1] + " "
                continue
            whole, joined = joined + line, ""
            header = re.fullmatch(r"\[([A-Za-z]+)\]", whole)
            entry = re.fullmatch(r"([A-Za-z0-9]+)=(.*)", whole)
            if header:
                section = header[1]
            elif entry and section:
                self.entries.append((section, entry[1], " ".join(entry[2].split()), line_no))
            else:
                self.bad.append(f"{name}:{line_no}: neither a section nor KEY=VALUE: {whole}")
        if not text.endswith("\n"):
            self.bad.append(f"{name}: no newline at its end")

    def values(self, section, *keys):
        return [v for s, k, v, _ in self.entries if s == section and k in keys]

    def last(self, section, key, default=""):
        return (self.values(section, key) or [default])[-1]

    def commands(self):
        return [(k, v, n) for s, k, v, n in self.entries
                if s == "Service" and k.startswith("Exec") and v]


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def own_units():
    """The units of OWN; of the templates, as builder/recipe/recipe-product.c fills them in."""
    targets = " ".join(f"rackstrap-{r}.target" for r in ROLES)
    for path in sorted(glob.glob(f"{OWN}/*")):
        text = "".join(line for line in read(path).splitlines(True) if not line.startswith("#@"))
        text = text.replace("@targets@", targets)
        for role in ROLES if "@role@" in text else (None,):
            others = " ".join(f"rackstrap-{r}.target" for r in ROLES if r != role)
            yield Unit(f"rackstrap-{role}.target" if role else os.path.basename(path),
                       text.replace("@role@", str(role)).replace("@conflicts@", f"Conflicts={others}"))


def directives():
    return set(read("test/data/systemd-219-unit-directives.txt").split())


def flags_of(program):
    path = f"test/data/flags-{program}-{VERSIONS.get(program, '0.20.2')}.txt"
    if not os.path.exists(path):
        return None
    return {line.split()[0] for line in read(path).splitlines() if line.startswith("--")}


# --- checks --------------------------------------------------------------------------------


def syntax(units):
    for u in units:
        yield from u.bad


def known_to_219(units):
    known = directives()
    for u in units:
        allowed = {"Unit", "Install"} | SECTIONS[os.path.splitext(u.name)[1]]
        for section, key, _, line in u.entries:
            if section not in allowed:
                yield f"{u.name}:{line}: [{section}] has no business here"
            elif f"{section}.{key}" not in known:
                yield f"{u.name}:{line}: systemd 219 does not know {key}= in [{section}]"


def restarts(units):
    """Directives that systemd 219 refuses, or that keep a service from being restarted."""
    for u in units:
        kind, restart = u.last("Service", "Type", "simple"), u.last("Service", "Restart", "no")
        if kind == "oneshot" and restart != "no":
            yield f"{u.name}: systemd 219 refuses Restart= for Type=oneshot"
        if restart == "no":
            continue
        if u.last("Service", "StartLimitInterval") != "0":
            yield f"{u.name}: gives up after some restarts: no StartLimitInterval=0"
        if not u.last("Service", "RestartSec", "0").isdigit() or \
                int(u.last("Service", "RestartSec", "0")) < 1:
            yield f"{u.name}: restarts without a pause: no RestartSec="
    for u in units:
        if u.name.endswith(".service") and u.values("Service", "ExecStart") and \
                u.last("Service", "Type", "simple") != "oneshot" and \
                u.last("Service", "Restart", "no") == "no" and "report" not in u.name:
            yield f"{u.name}: no Restart="


def commands(units):
    for u in units:
        files = [v.lstrip("-") for v in u.values("Service", "EnvironmentFile")]
        for key, value, line in u.commands():
            where = f"{u.name}:{line}"
            program, *args = value.lstrip("-").split()
            name = os.path.basename(program)
            if not program.startswith("/"):
                yield f"{where}: {key}={program}: not an absolute path"
            for variable in re.findall(r"\$\{?(\w+)\}?", value):
                if not any(variable in v for v in ENVIRONMENT.values()):
                    yield f"{where}: firstboot writes no {variable}"
                elif not any(variable in ENVIRONMENT.get(f, ()) for f in files):
                    yield f"{where}: ${{{variable}}} without EnvironmentFile="
            yield from arguments(where, name, args)


def arguments(where, name, args):
    known = flags_of(name)
    if known is not None:
        for arg in args:
            flag = arg.split("=")[0]
            if name == "docker":
                flag = DOCKER_SHORT.get(flag, flag)
            elif name != "etcd":
                flag = flag.replace("_", "-")
            if arg.startswith("-") and flag not in known:
                yield f"{where}: {name} has no flag {arg.split('=')[0]}"
    elif name == "calicoctl":
        if not any(re.fullmatch(p, " ".join(args)) for p in CALICOCTL):
            yield f"{where}: calicoctl {' '.join(args)}: not a use of it that was looked at"
    elif name == "firstboot":
        if " ".join(args) not in FIRSTBOOT:
            yield f"{where}: firstboot {' '.join(args)}: no such subcommand"
    elif name not in ("curl", "mkdir", "docker-bridge") and name not in SSH_KEYS:
        yield f"{where}: {name}: nobody knows its options here"


def own_tmp(units):
    """PyInstaller programs unpack into $TMPDIR, and leave the files when they are killed."""
    for u in units:
        if not any(os.path.basename(v.split()[0]) in PYINSTALLER for _, v, _ in u.commands()):
            continue
        tmp = "/tmp/" + u.name.removesuffix(".service")
        remove = f"/bin/rm -rf {tmp}"
        if u.values("Service", "Environment") != [f"TMPDIR={tmp}"]:
            yield f"{u.name}: no Environment=TMPDIR={tmp}"
        if u.values("Service", "ExecStartPre")[:2] != [remove, f"/bin/mkdir -m 0700 {tmp}"]:
            yield f"{u.name}: does not begin with an empty {tmp}"
        if u.values("Service", "ExecStopPost") != [remove]:
            yield f"{u.name}: does not end with ExecStopPost={remove}"


def references(units):
    ours = {u.name for u in units}
    for u in units:
        for section, key, value, line in u.entries:
            if section in ("Unit", "Install") and key in REFERENCES:
                for name in value.split():
                    if name not in ours and name not in STOCK:
                        yield f"{u.name}:{line}: {key}={name}: no such unit"


def survives(units):
    """A server that does not run, or restarts, must not stop its clients."""
    for u in units:
        for name in u.values("Unit", "Requires", "BindsTo", "Requisite"):
            if name.split() not in (["rackstrap-firstboot.service"], ["docker.socket"]):
                yield f"{u.name}: is tied to {name}"


def after_firstboot(units):
    for u in units:
        uses = any(os.path.basename(v.split()[0]) not in SSH_KEYS for _, v, _ in u.commands())
        if uses and u.name != "rackstrap-firstboot.service" and \
                "rackstrap-firstboot.service" not in " ".join(u.values("Unit", "After")).split():
            yield f"{u.name}: not After=rackstrap-firstboot.service"


def strings(text):
    return re.findall(r'"([^"]*)"', text)


def without_comments(path):
    return re.sub(r"(?m)(^|\s)#.*$", "", read(path))


def role_units(recipe):
    """{role: [units]} of a recipe, {} when it has no roles of its own."""
    roles = {}
    text = without_comments(recipe)
    at = re.search(r"^roles\s*[=:]\s*\(", text, re.M)
    region = text[at.end():text.index(");", at.end())] if at else ""
    for block in re.findall(r"\{(.*?)(?:\n\t\}|; \})", region, re.S):
        name = re.search(r'name\s*=\s*"([^"]+)"', block)
        units = re.search(r"units\s*=\s*\[(.*?)\]", block, re.S)
        roles[name[1]] = strings(units[1])
    return roles


def recipe_units(recipe):
    """{name: path} of the units of a recipe and of those that it includes."""
    text = without_comments(recipe)
    include = re.search(r'^include\s*=\s*"(.*?)"', text, re.M)
    remove = re.search(r"^remove\s*=\s*\{[^}]*?\bunits\s*=\s*\[(.*?)\]", text, re.M | re.S)
    listed = re.search(r"^units\s*=\s*\[(.*?)\]", text, re.M | re.S)
    folder = os.path.dirname(recipe)
    found = recipe_units(os.path.join(folder, include[1])) if include else {}
    for name in strings(remove[1]) if remove else ():
        found.pop(name, None)
    for path in strings(listed[1]) if listed else ():
        found[os.path.basename(path)] = os.path.join(folder, path)
    return found


def recipes(units):
    ours = {u.name: u for u in units}
    own = {u.name for u in own_units()}
    for recipe in RECIPES:
        found = recipe_units(recipe)
        of_our_stack = set(found) & set(ours)
        for name in sorted(set(ours) - own - set(found)) if of_our_stack else ():
            yield f"{recipe}: units: {name} is missing"
        for path in found.values():
            if not os.path.exists(path):
                yield f"{recipe}: units: {path}: no such file"
        for role, names in role_units(recipe).items():
            if role not in ROLES:
                continue  # of a stack with other units
            yield from role_matches(recipe, role, names, ours)


def role_matches(recipe, role, names, ours):
    target = f"rackstrap-{role}.target"
    if target not in ours:
        yield f"{recipe}: role {role}: no {target}"
    wanted = {n for n, u in ours.items()
              if target in " ".join(u.values("Install", "WantedBy")).split()}
    for name in sorted(wanted - set(names) - {"rackstrap-heal.timer"}):  # rackstrap adds it
        yield f"{recipe}: role {role} does not list {name}, which is WantedBy={target}"
    for name in names:
        if name not in ours and name not in STOCK:
            yield f"{recipe}: role {role}: {name}: no such unit"
        elif name in ours and name not in wanted:
            yield f"{recipe}: role {role} lists {name}, which is not WantedBy={target}"


def targets(units):
    """Units wanted by a role's target stop and start with it, too."""
    for u in units:
        part_of = " ".join(u.values("Unit", "PartOf")).split()
        for target in " ".join(u.values("Install", "WantedBy")).split():
            if target.startswith("rackstrap-") and target not in part_of:
                yield f"{u.name}: WantedBy={target} but not PartOf= it"


def healed(units):
    """Every role of the cluster sets its NAT rules again when they are flushed."""
    timer = [u for u in units if u.name == "rackstrap-heal.timer"]
    wanted = " ".join(v for u in timer for v in u.values("Install", "WantedBy")).split()
    for u in units:
        if u.name.startswith("rackstrap-") and u.name.endswith(".target") and \
                u.name not in wanted:
            yield f"{u.name}: does not want rackstrap-heal.timer"


def analyze(units):
    """systemd-analyze verify, in a root with our units, the stock ones and empty programs."""
    with tempfile.TemporaryDirectory() as root:
        ours, stock = f"{root}/etc/systemd/system", f"{root}/lib/systemd/system"
        os.makedirs(ours)
        shutil.copytree("/lib/systemd/system", stock, symlinks=True)
        for name in ("docker.service", "ssh.service"):
            if not os.path.exists(f"{stock}/{name}"):
                with open(f"{stock}/{name}", "w") as f:
                    f.write("[Service]\nExecStart=/usr/sbin/stock\n")
        programs = {"/usr/sbin/stock"}
        for u in units:
            with open(f"{ours}/{u.name}", "w") as f:
                f.write(u.text)
            programs |= {v.split()[0] for _, v, _ in u.commands()}
        for path in programs:
            os.makedirs(root + os.path.dirname(path), exist_ok=True)
            shutil.copy("/bin/true", root + path)
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", f"--root={root}",
                               *sorted(u.name for u in units)],
                              capture_output=True, text=True, check=False)
        mine = [line for line in done.stderr.splitlines()
                if any(re.search(rf"\b{re.escape(u.name)}", line) for u in units)]
        yield from mine
        if done.returncode != 0 and not mine:
            yield f"systemd-analyze exited {done.returncode}: {done.stderr}"


CHECKS = [
    ("every unit parses", syntax),
    ("systemd 219 knows every directive", known_to_219),
    ("services restart for ever, at a pace, and as 219 allows", restarts),
    ("programs, flags and variables exist", commands),
    ("what a killed PyInstaller program leaves is cleaned up", own_tmp),
    ("every unit that is named exists", references),
    ("no client is tied to its server", survives),
    ("everything of the cluster runs after firstboot", after_firstboot),
    ("units go with the target that wants them", targets),
    ("every role's NAT rules are looked after", healed),
]


# --- units that must give a complaint ----------------------------------------------------

BAD = [
    (syntax, "[Unit]\nDescription=x", "no newline"),
    (syntax, "Description=x\n", "neither a section"),
    (known_to_219, "[Unit]\nStartLimitIntervalSec=0\n", "StartLimitIntervalSec= in [Unit]"),
    (known_to_219, "[Service]\nTasksMax=infinity\n", "TasksMax= in [Service]"),
    (known_to_219, "[Timer]\nOnBootSec=1\n", "[Timer] has no business"),
    (restarts, "[Service]\nType=oneshot\nRestart=on-failure\nRestartSec=5\n"
     "StartLimitInterval=0\nExecStart=/x\n", "refuses Restart="),
    (restarts, "[Service]\nRestart=always\nRestartSec=5\nExecStart=/x\n", "gives up"),
    (restarts, "[Service]\nRestart=always\nStartLimitInterval=0\nExecStart=/x\n", "pause"),
    (restarts, "[Service]\nExecStart=/x\n", "no Restart="),
    (commands, "[Service]\nExecStart=/usr/local/bin/kube-proxy "
     "--legacy-userspace-proxy=false\n", "no flag --legacy-userspace-proxy"),
    (commands, "[Service]\nExecStart=/usr/local/bin/etcd --bind_addr=0.0.0.0:4001\n",
     "no flag --bind_addr"),
    (commands, "[Service]\nExecStart=/usr/local/bin/calicoctl node --ip=${DEFAULT_IPV4} "
     "--kubernetes\nEnvironmentFile=/etc/network-environment\n", "--kubernetes"),
    (commands, "[Service]\nExecStart=/usr/local/bin/etcd --name ${MY_IP}\n", "no MY_IP"),
    (commands, "[Service]\nExecStart=/usr/local/bin/etcd --name ${DEFAULT_IPV4}\n",
     "without EnvironmentFile"),
    (commands, "[Service]\nExecStart=/usr/bin/docker -d --containerd=x\n",
     "docker has no flag --containerd"),
    (commands, "[Service]\nExecStart=/usr/bin/docker -d $DOCKER_OPTS\n"
     "EnvironmentFile=/etc/network-environment\n", "${DOCKER_OPTS} without"),
    (known_to_219, "[Socket]\nListenStrem=/x\n", "[Socket] has no business"),
    (commands, "[Service]\nExecStart=kubelet\n", "not an absolute path"),
    (commands, "[Service]\nExecStart=/usr/sbin/firstboot aply\n", "no such subcommand"),
    (own_tmp, "[Service]\nExecStart=/usr/local/bin/kubelet\n", "TMPDIR=/tmp/bad"),
    (own_tmp, "[Service]\nExecStartPre=/usr/local/bin/calicoctl checksystem\n",
     "does not begin with an empty"),
    (own_tmp, "[Service]\nExecStart=/usr/local/bin/kubelet\nExecStopPost=/bin/rm -rf /tmp\n",
     "does not end with"),
    (references, "[Unit]\nAfter=network-online.service\n", "no such unit"),
    (survives, "[Unit]\nRequires=etcd.service\n", "tied to etcd.service"),
    (after_firstboot, "[Service]\nExecStart=/usr/local/bin/kubelet\n", "not After="),
    (targets, "[Install]\nWantedBy=rackstrap-node.target\n", "not PartOf="),
]


def main():
    units = [Unit(os.path.basename(p), read(p)) for p in sorted(glob.glob(f"{UNITS}/*"))]
    units += own_units()
    docker = [Unit("docker.socket", read(f"{DOCKER}/docker.socket")),
              Unit("docker.service", read(f"{DOCKER}/docker.service") +
                   "".join(read(p) for p, name in DROPINS.items() if name == "docker.service"))]
    with_dropins = units + docker
    number = failed = 0

    def report(ok, what, complaints=()):
        nonlocal number, failed
        number += 1
        failed += not ok
        print(f"{'ok' if ok else 'not ok'} {number} - {what}")
        for line in complaints:
            print(f"# {line}")

    report(len(units) > 10, f"{len(units)} units are there")
    for what, check in CHECKS:
        complaints = list(check(with_dropins))
        report(not complaints, what, complaints)
    complaints = list(recipes(units))
    report(not complaints, "recipes and roles agree with the units", complaints)
    complaints = [f"{p}: mode {os.stat(p).st_mode & 0o777:o}"
                  for p in glob.glob(f"{UNITS}/*") + glob.glob(f"{OWN}/*")
                  if os.stat(p).st_mode & 0o111]
    report(not complaints, "no unit is executable", complaints)
    if shutil.which("systemd-analyze"):
        complaints = list(analyze(units))
        report(not complaints, "systemd-analyze verify has nothing to say", complaints)
        bad = list(analyze([Unit("bad.service", "[Service]\nType=oneshot\nRestart=always\n"
                                 "ExecStart=/x\n")]))
        report(bool(bad), "and would have")
    else:
        report(True, "systemd-analyze verify # SKIP package systemd is not installed")
    complaints = list(healed([Unit("rackstrap-x.target", "[Unit]\n")]))
    report(len(complaints) == 1, "complains: a role nobody heals", complaints)
    for check, text, want in BAD:
        complaints = list(check([Unit("bad.service", text)]))
        report(any(want in c for c in complaints), f"complains: {want}", complaints)
    ours = {u.name: u for u in units}
    complaints = list(role_matches("r", "node", ["kube-kubelet.service", "etcd.service"], ours))
    report(len(complaints) >= 3, "complains: role and WantedBy= disagree", complaints)
    print(f"1..{number}")
    sys.exit(failed > 0)


main()
