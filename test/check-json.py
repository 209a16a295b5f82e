#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares `rackstrap check --json` with what the text of the same check says.

    check-json.py RACKSTRAP FILE...    prints TAP without its plan: a test for each FILE

The text folds complaints that are alike; JSON has each of them. So every line of the text that
is no excerpt and no count must be a problem of the document, and the numbers must agree.
"""
import json
import re
import subprocess
import sys

KEYS = ["severity", "file", "line", "column", "host", "message", "excerpt", "other_file", "other_line"]


def text_of(problem):
    """Returns the problem as the line that standard error has."""
    place = problem["file"] or ""
    if problem["line"]:
        place += f":{problem['line']}"
    return (f"{place}: " if place else "") + problem["message"]


def compare(rackstrap, path):
    """Returns None, or what differs."""
    text = subprocess.run([rackstrap, "check", path], capture_output=True, text=True)
    doc = subprocess.run([rackstrap, "check", "--json", path], capture_output=True, text=True)
    if doc.returncode != text.returncode:
        return f"exit {doc.returncode}, not {text.returncode}"
    answer = json.loads(doc.stdout)
    if list(answer) != ["format", "files"] or len(answer["files"]) != 1:
        return f"not one file: {list(answer)}"
    file = answer["files"][0]
    if file["result"] != {0: "ok", 1: "unreadable", 3: "wrong"}[text.returncode]:
        return f"result {file['result']}"
    if (file["hosts"] is not None) != (file["result"] == "ok"):
        return f"hosts {file['hosts']}"
    problems = file["problems"]
    for p in problems:
        if list(p) != KEYS:
            return f"keys {list(p)}"
        if (p["line"] is None and p["column"] is not None) or (p["other_line"] is not None) > (p["other_file"] is not None):
            return f"half a place: {p}"
        named = re.match(r"host '([^'?]*)'", p["message"])
        if (named[1] if named else p["host"]) != p["host"]:
            return f"host {p['host']}: {p['message']}"
        other = re.search(r"[( ](?:(\S+):|line )(\d+)\)$", p["message"])
        if other and "host" in p["message"] and p["other_line"] != int(other[2]):
            return f"other line {p['other_line']}: {p['message']}"
    have = [text_of(p) for p in problems]
    lines = [line.removeprefix("rackstrap: ") for line in text.stderr.splitlines()]
    last = re.fullmatch(r"(\d+) mistakes? in 1 file", lines[-1]) if lines else None
    errors = sum(p["severity"] == "error" for p in problems)
    if [errors, len(problems) - errors] != [file["errors"], file["warnings"]]:
        return f"{file['errors']} errors and {file['warnings']} warnings, not {errors} and {len(problems) - errors}"
    if last and int(last[1]) != errors:
        return f"{errors} errors, the text counts {last[1]}"
    for line in lines[:-1] if last else lines:
        if not line.startswith("    ") and line.removeprefix("warning: ") not in have:
            return f"not in the document: {line}"
    return None


def main():
    bad = 0
    for path in sys.argv[2:]:
        differs = compare(sys.argv[1], path)
        print(f"{'not ok' if differs else 'ok'} - {path}")
        if differs:
            print(f"# {differs}")
            bad = 1
    sys.exit(bad)


main()
