#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test/docs.py DOCUMENT quick|long: runs a document of docs/ as its reader would, and prints TAP.

It runs in the current folder, with rackstrap in PATH; test/cli/docs.sh and test/long/docs.sh
prepare both. A fenced block is one of these, by the comment on the line before it:

    console                     commands: lines after "$ " or, of root, "# "; the others are
                                output, "..." is any
    <!-- exits 3 --> console    the last command exits with 3
    <!-- background --> console the last command runs until <!-- ends -->
    <!-- file NAME -->          the whole file, which is written
    <!-- shows NAME -->         lines that are in the file at this point
    <!-- settings NAME -->      settings that replace those of the same names in the file
    <!-- messages -->           lines that programs print: MESSAGES says where each is from

Every command needs a row in COMMANDS, and every message one in MESSAGES: a command of a kind
that this run does not execute is compared with the programs' --help. Rows that are not used
are reported as well. Output is compared without its numbers.
"""
import hashlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WAIT_S = 2400  # only ends a test that hangs

# The kinds, and what a quick and a long run do with them:
#   run      is run                           is run
#   build    a dry run, unless this is a      is run
#            namespace without ids for it
#   rack     the rack file is checked         is run
#   long     the options are checked          is run
#   net      is run, in a namespace           the options are checked: a rack needs another
#   host     the command of firstboot exists  is run on a host of the rack
#   foreign  other programs and this machine's services: never run
COMMANDS = [
    ("run", r"rackstrap (--version|new|check)\b"),
    ("run", r"(sed|mkdir|cp|chmod) "),
    ("run", r"test -e ~/\.ssh/id_ed25519\.pub \|\| ssh-keygen -t ed25519 -f ~/\.ssh/id_ed25519$"),
    ("run", r"\(umask 077; head -c 24 /dev/urandom "),
    ("build", r"rackstrap build "),
    ("rack", r"rackstrap rack "),
    ("long", r"rackstrap (lock|fetch|cache|ssh) "),
    ("long", r"rackstrap status rack-mine$"),
    ("net", r"rackstrap (pxe|serve|status) "),
    ("net", r"ip (address|link) "),
    ("net", r"curl "),
    ("host", r"ssh root@172\.25\.0\.11 "),
    # test/cli/install.sh runs make install, test/cli/deps.sh compares the packages
    ("foreign", r"make deps-build all && make install prefix=/usr/local && make deps-run$"),
    ("foreign", r"systemctl disable --now nginx$"),
    ("foreign", r"systemctl daemon-reload && systemctl enable --now rackstrap$"),
    ("foreign", r"journalctl -f -u rackstrap$"),
    ("foreign", r"tcpdump -ni eno2 port 67 or port 68 or port 69$"),
    ("foreign", r"tail -f /srv/plain/run/dnsmasq\.log$"),
]

# Parts of a message, all of which are in its line and in the source.
BOOT_IPXE, HOST_IPXE = "pxe/templates/strangers.ipxe", "pxe/templates/host.ipxe"
BOOT_SCRIPT = "pxe/initramfs/rackstrap"
MESSAGES = [
    ("pxe/watch.c", ": asks for its boot script (", ", "),
    ("pxe/watch.c", ": has loaded the root image, ", " MB in ", " s"),
    ("pxe/watch.c", " asks for an address and is not in the rack"),
    ("pxe/watch.c", " asks for a boot script and is not in the rack (from "),
    ("pxe/watch.c", ": its files were refused to ", ", because its address is "),
    ("pxe/watch.c", ": a report from ", "was refused: it has neither the host's address nor its token"),
    ("firstboot/model/host.c", "unknown key '", "' (did you mean '"),
    ("firstboot/units.c", " is ", ", its last line: "),
    ("firstboot/ready.c", " answers "),
    ("firstboot/ready.c", " does not answer ("),
    ("pxe/watch.c", "): starts its units"),
    ("pxe/watch.c", "): ready in ", " s"),
    ("pxe/serve-check.c", "port ", " is taken"),
    ("pxe/serve-check.c", "port ", ": only root may listen there"),
    ("pxe/serve-check.c", "the boot server's address ", " is on no interface of this machine (ip address add ",
     " dev INTERFACE)"),
    ("pxe/serve-check.c", ": not found (Debian's package ", " brings it)"),
    ("builder/cmd-serve.c", ": not reloaded"),
    (BOOT_IPXE, " has no boot script for MAC address ", " at "),
    (BOOT_IPXE, "rackstrap: to make this machine a host of rack '", "', give one in rack.cfg"),
    (BOOT_IPXE, "rackstrap:     mac = \""),
    (HOST_IPXE, "rackstrap: ", "host '", ": that failed (", " of 5), again in 5 s"),
    (HOST_IPXE, "rackstrap: ", "host '", ": could not be loaded from ", " in 5 attempts"),
    (BOOT_SCRIPT, "root.squashfs is cut short, ", " bytes are there", ": this machine's ",
     " MiB of memory are too little to unpack it, which takes about ",
     " MiB, or root.cpio was not loaded completely"),
    (BOOT_SCRIPT, "expected /rackstrap/root.squashfs", "found none in the initramfs: root.cpio was not loaded, or did "
     "not fit into this machine's ", " MiB of memory"),
    (BOOT_SCRIPT, "root.squashfs is damaged or another image's: expected sha256 ", ", found ", " bytes)"),
    ("firstboot/link.c", ": mac: no link has ", "; there are: "),
    ("firstboot/report.c", "the report is not delivered yet, and is sent again: "),
    ("pxe/rack-warn.c", "no host has ssh_keys: nobody will be able to log in"),
]

used = set()
points = failures = 0


def point(what, wrong=None):
    """Prints a point of TAP; `wrong` says why it failed."""
    global points, failures
    points += 1
    failures += bool(wrong)
    print(f"{'not ok' if wrong else 'ok'} {points} - {what}")
    for line in str(wrong).splitlines() if wrong else ():
        print(f"# {line}")
    sys.stdout.flush()


def has_ids():
    """Whether a base can be made here, whose programs get ids that nobody else uses."""
    with open("/proc/self/uid_map", encoding="ascii") as f:
        return sum(int(line.split()[2]) for line in f) > 65536


class Block:
    def __init__(self, line, mark, argument, language):
        self.line, self.mark, self.argument, self.language = line, mark, argument, language
        self.lines = []


def parse(path):
    """Returns the blocks of a document, and a Block without lines for each "ends"."""
    blocks, block, mark = [], None, ("", "")
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file.read().splitlines(), 1):
            comment = re.fullmatch(r"<!-- (\w+)(?: (.*))? -->", line)
            if block:
                if line == "```":
                    block = None
                else:
                    block.lines.append(line)
            elif line.startswith("```"):
                block = Block(number, mark[0], mark[1], line[3:])
                blocks.append(block)
                mark = ("", "")
            elif comment and comment[1] == "ends":
                blocks.append(Block(number, "ends", "", ""))
            elif comment:
                mark = (comment[1], comment[2] or "")
            else:
                mark = ("", "")
                if re.match(r"    |\t", line):
                    point(f"line {number}: code is in a fenced block", line)
    return blocks


def commands(block):
    """Yields (command, [lines of output])."""
    command, output = None, []
    for line in block.lines:
        if line[:2] in ("$ ", "# "):
            if command:
                yield command, output
            command, output = line[2:], []
        elif command and command.endswith("\\") and not output:
            command = command[:-1] + line.strip()
        else:
            output.append(line)
    if command:
        yield command, output


def plain(line):
    """Returns the line without what differs from run to run: numbers, and blanks in a table."""
    line = line.replace(", as user nobody", "")  # servers in a namespace have no other user
    return re.sub(r"\s+", " ", re.sub(r"\d+(\.\d+)*", "N", line)).strip()


def missing_output(shown, printed):
    """Returns the lines that are shown and not printed."""
    have = {plain(line) for line in printed.splitlines()}
    return [line for line in shown if line.strip() not in ("", "...") and plain(line) not in have]


def wrong_options(command):
    """Returns the options of a rackstrap command that its --help does not have."""
    words = shlex.split(command)
    if len(words) < 2 or words[0] != "rackstrap" or words[1].startswith("-"):
        return []
    text = subprocess.run(["rackstrap", words[1], "--help"], capture_output=True, text=True,
                          check=False)
    if text.returncode:
        return [words[1]]
    return [w for w in words[2:] if re.match(r"--[a-z]", w) and
            not re.search(re.escape(w) + r"\b", text.stdout)]


class Run:
    def __init__(self, long):
        self.long = long
        self.background = self.log = None
        self.on_hosts = []

    def write(self, name, lines):
        path = name.lstrip("/")
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        mode = os.stat(path).st_mode if os.path.exists(path) else 0o644
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        os.chmod(path, mode)
        if name.endswith(".service") and name.startswith("/"):
            done = subprocess.run(["systemd-analyze", "verify", "--man=no", f"./{path}"],
                                  capture_output=True, text=True, check=False)
            point(f"systemd accepts {name}", done.stderr if done.returncode else None)

    def settings(self, name, lines):
        with open(name, encoding="utf-8") as file:
            text = file.read()
        for key, setting in split_settings("\n".join(lines) + "\n"):
            old = dict(split_settings(text)).get(key)
            if old:
                text = text.replace(old, setting, 1)
            elif re.search(rf"(?m)^# {key} = .*\n", text):
                text = re.sub(rf"(?m)^# {key} = .*\n", lambda _, s=setting: s, text, count=1)
            else:
                text += setting
        self.write(name, text.splitlines())

    def block(self, block):
        where = f"line {block.line}"
        if block.mark == "ends":
            self.end()
        elif block.mark == "file":
            self.write(block.argument, block.lines)
        elif block.mark == "settings":
            self.settings(block.argument, block.lines)
        elif block.mark == "shows":
            with open(block.argument, encoding="utf-8") as file:
                there = "\n" + "\n".join(block.lines) + "\n" in "\n" + file.read()
            point(f"{where}: {block.argument} has these lines", not there and "it has others")
        elif block.mark == "messages":
            for line in block.lines:
                point(f"{where}: {line}", wrong_message(line))
        elif block.language == "console":
            found = list(commands(block))
            for i, (command, output) in enumerate(found):
                self.command(block, command, output, i == len(found) - 1)
            if not found:
                point(f"{where}: the block has a command", "it has none")
        else:
            point(f"{where}: the block is one that this test knows", block.mark or block.language)

    def command(self, block, command, output, is_last):
        kind, row = next(((k, r) for k, r in COMMANDS if re.match(r, command)), (None, None))
        what = f"line {block.line}: {command}"
        if not kind:
            return point(what, "COMMANDS in test/docs.py has no row for it")
        used.add(row)
        wrong = wrong_options(command)
        if wrong:
            return point(what, f"--help does not have {' '.join(wrong)}")
        status = int(block.argument) if is_last and block.mark == "exits" else 0
        if kind == "rack" and self.long and self.on_hosts and not status:
            self.run_hosts(command)
        elif kind == "run" or (self.long and kind in ("build", "rack", "long")) or \
                (not self.long and kind == "net"):
            if is_last and block.mark == "background":
                self.start(what, command, output)
            else:
                self.execute(what, command, output, status)
        elif kind == "build" and not self.long and not has_ids():
            point(what)
        elif kind == "build" and not self.long:
            self.dry_run(what, command, output, status)
        elif kind == "rack":
            words = shlex.split(command)
            image = words[words.index("--image") + 1]
            recipe = os.path.basename(image)
            self.execute(what, f"rackstrap check {words[2]} --recipe {recipe}", [], 0)
        elif kind == "host" and not self.long:
            words = command.split()[2:]
            if words[0] == "firstboot":
                self.execute(what, f"firstboot {words[1]} --help", [], 0)
            else:
                point(what)
        elif kind != "host":
            point(what)

    def execute(self, what, command, output, status):
        reloaded = self.times_reloaded()
        done = subprocess.run(["bash", "-c", command], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=WAIT_S, check=False)
        self.judge(what, done.returncode, status, done.stdout, output)
        if self.background and command.startswith("rackstrap pxe "):
            self.await_reload(reloaded)

    def times_reloaded(self):
        if not self.background:
            return 0
        with open("background.log", encoding="utf-8") as file:
            return file.read().count(": reloaded: ")

    def await_reload(self, before):
        """In a namespace `serve` starts nginx again, and for a moment nothing listens."""
        deadline = time.monotonic() + WAIT_S
        while self.times_reloaded() == before:
            if self.background.poll() is not None or time.monotonic() > deadline:
                return point("`rackstrap serve` reads the new tree", "it did not")
            time.sleep(0.2)
        point("`rackstrap serve` reads the new tree")

    def judge(self, what, status, expected, printed, output):
        missing = missing_output(output, printed)
        if status != expected:
            point(what, f"exit status {status}, not {expected}:\n{printed[-3000:]}")
        elif missing:
            point(what, "not printed: " + "\n".join(missing) + f"\nbut:\n{printed[-3000:]}")
        else:
            point(what)

    def dry_run(self, what, command, output, status):
        """What only a build finds out, such as a missing package, a dry run does not."""
        if "--dry-run" in command:
            return self.execute(what, command, output, status)
        command = re.sub(r" --(lock|mirror) \S+", "", command) + " --dry-run"
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
        point(what, done.returncode not in (0, status) and done.stderr)

    def start(self, what, command, output):
        self.log = open("background.log", "w+", encoding="utf-8")
        self.background = subprocess.Popen(shlex.split(command), stdin=subprocess.DEVNULL,
                                           stdout=self.log, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + WAIT_S
        while True:
            with open("background.log", encoding="utf-8") as file:
                printed = file.read()
            missing = missing_output(output, printed)
            if not missing:
                return point(what)
            if self.background.poll() is not None or time.monotonic() > deadline:
                return point(what, "not printed: " + "\n".join(missing) + f"\nbut:\n{printed}")
            time.sleep(0.2)

    def end(self):
        if not self.background:
            return
        if self.background.poll() is None:
            self.background.send_signal(signal.SIGINT)
        status = self.background.wait(timeout=WAIT_S)
        point("Ctrl-C ends the program in the background", status and f"exit status {status}")
        self.background = None

    def run_hosts(self, command):
        """Boots the rack and runs in it the commands that the document runs on its hosts."""
        with open("hosts.sh", "w", encoding="utf-8") as file:
            file.write("#!/bin/bash\n")
            for i, (c, _, _) in enumerate(self.on_hosts):
                file.write(f"{c} >out.{i} 2>&1 </dev/null; echo $? >rc.{i}\n")
        os.chmod("hosts.sh", 0o755)
        self.execute(command, f"{command} --run ./hosts.sh", [], 0)
        for i, (c, output, what) in enumerate(self.on_hosts):
            try:
                with open(f"rc.{i}", encoding="utf-8") as rc, open(f"out.{i}", encoding="utf-8") as out:
                    self.judge(what, int(rc.read()), 0, out.read(), output)
            except OSError as e:
                point(what, e)
        self.on_hosts = []


def split_settings(text):
    """Yields (name, lines) of the settings of a libconfig file, without comments before them."""
    name, lines, depth = None, [], 0
    for line in text.splitlines(True):
        begins = re.match(r"(\w+)\s*[:=]", line)
        if not name and begins:
            name, lines = begins[1], []
        if name:
            lines.append(line)
            code = re.sub(r'"[^"]*"|#.*', "", line)
            depth += len(re.findall(r"[({\[]", code)) - len(re.findall(r"[)}\]]", code))
            if depth == 0 and code.rstrip().endswith((";", "}")):
                yield name, "".join(lines)
                name = None


def wrong_message(line):
    """Returns why the line is no message of our programs, or None."""
    for row in MESSAGES:
        if all(part in line for part in row[1:]):
            break
    else:
        return "MESSAGES in test/docs.py has no row for it"
    used.add(row)
    with open(f"{TOP}/{row[0]}", encoding="utf-8") as file:
        text = re.sub(r'" \\\n\s*"', " ", file.read().replace('\\"', '"'))  # words of a shell
    text = re.sub(r'"\s*\n\s*"', "", text)  # strings of C
    return next((f"{row[0]} does not have '{part}'" for part in row[1:] if part not in text), None)


def inline(path):
    """Checks what the text names between backquotes, and its links."""
    with open(path, encoding="utf-8") as file:
        text = re.sub(r"(?ms)^```.*?^```$", "", file.read())
    everything = subprocess.run(
        ["bash", "-c", "for c in $(rackstrap help | sed -nE 's/^  ([a-z]+) .*/\\1/p'); do rackstrap $c --help; done"],
        capture_output=True, text=True, check=True).stdout
    for code in sorted(set(re.findall(r"`([^`]+)`", text))):
        if code.startswith("rackstrap "):
            wrong = wrong_options(code)
            point(f"`{code}` exists", wrong and f"--help does not have {' '.join(wrong)}")
        elif re.fullmatch(r"--[a-z-]+", code):
            point(f"`{code}` exists", not re.search(code + r"\b", everything) and "in no --help")
        elif re.match(r"(images|configs|docs|build)/", code) and not code.startswith("build/"):
            point(f"`{code}` exists", not os.path.exists(f"{TOP}/{code}") and "no such file")
    for link in sorted(set(re.findall(r"\]\(([^)#]+)\)", text))):
        there = os.path.exists(os.path.join(os.path.dirname(path), link))
        point(f"the link to {link} leads somewhere", not there and "no such file")


def tiny_image(folder, role):
    """Writes an image of three small files, for boot trees."""
    os.makedirs(folder, exist_ok=True)
    outputs = []
    for name in ("vmlinuz", "initrd.img", "root.squashfs"):
        with open(f"{folder}/{name}", "w", encoding="utf-8") as file:
            file.write(name)
        outputs.append({"path": name, "size": len(name),
                        "sha256": hashlib.sha256(name.encode()).hexdigest()})
    roles = [{"name": role, "units": [], "ready": [], "cbr0": False, "master": False}]
    with open(f"{folder}/manifest.json", "w", encoding="utf-8") as file:
        json.dump({"format": 1, "name": os.path.basename(folder), "summary": "", "epoch": 0,
                   "cmdline": "", "standins": [], "roles": roles, "outputs": outputs}, file)


def main():
    path, long = sys.argv[1], sys.argv[2] == "long"
    run = Run(long)
    blocks = parse(path)
    if not long:
        inline(path)
        tiny_image("out/plain", "server")
    for block in blocks if long else ():
        for command, output in commands(block) if block.language == "console" else ():
            if command.startswith("ssh root@"):
                run.on_hosts.append((command, output, f"line {block.line}: {command}"))
    try:
        for block in blocks:
            run.block(block)
    finally:
        run.end()
    with open("used", "a", encoding="utf-8") as file:
        for row in used:
            file.write(f"{row}\n")
    print(f"1..{points}")
    sys.exit(failures > 0)


if __name__ == "__main__":
    if sys.argv[1:] == ["rows"]:
        for row in [r for _, r in COMMANDS] + MESSAGES:
            print(row)
    else:
        main()
