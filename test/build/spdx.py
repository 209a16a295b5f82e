# SPDX-License-Identifier: Apache-2.0
"""spdx.py IMAGE-DIR [SCHEMA]: exits 0 when manifest.spdx.json is SPDX 2.3 and says what
manifest.json says.

What SPDX 2.3 demands of the fields that are used (the specification's clauses are named) is
written down here once more, as a JSON schema for python3-jsonschema and, where that cannot
say it, in Python. SCHEMA, if given, is the SPDX project's own, and counts as well.
"""
import json
import os
import re
import sys
import urllib.parse

import jsonschema

image = sys.argv[1]
bad = []
doc = json.load(open(os.path.join(image, "manifest.spdx.json")))
manifest = json.load(open(os.path.join(image, "manifest.json")))

SPDXID = {"type": "string", "pattern": r"^SPDXRef-[a-zA-Z0-9.-]+$"}  # 7.2, 8.2
TEXT = {"type": "string", "minLength": 1}
LICENCE = {"enum": ["NOASSERTION", "NONE"]}
CHECKSUMS = {  # 7.10, 8.4
    "type": "array", "minItems": 1,
    "items": {"type": "object", "additionalProperties": False,
              "required": ["algorithm", "checksumValue"],
              "properties": {"algorithm": {"const": "SHA256"},
                             "checksumValue": {"type": "string", "pattern": "^[0-9a-f]{64}$"}}}}
LOCATION = {"type": "string",  # 7.7
            "pattern": r"^(NOASSERTION|NONE|https?://[^\s#]+(#\S*)?)$"}
schema = {
    "type": "object", "additionalProperties": False,
    "required": ["spdxVersion", "dataLicense", "SPDXID", "name", "documentNamespace", "creationInfo",
                 "packages", "files", "relationships"],
    "properties": {
        "spdxVersion": {"const": "SPDX-2.3"},  # 6.1
        "dataLicense": {"const": "CC0-1.0"},  # 6.2
        "SPDXID": {"const": "SPDXRef-DOCUMENT"},  # 6.3
        "name": TEXT,  # 6.4
        "documentNamespace": {"type": "string", "pattern": r"^[a-z][a-z0-9+.-]*://[^\s#]+$"},  # 6.5
        "creationInfo": {  # 6.8 to 6.10
            "type": "object", "additionalProperties": False, "required": ["created", "creators"],
            "properties": {
                "created": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"},
                "creators": {"type": "array", "minItems": 1, "items": {
                    "type": "string", "pattern": r"^(Tool: \S+-\S+|Organization: .+|Person: .+)$"}},
                "comment": TEXT}},
        "packages": {"type": "array", "minItems": 1, "items": {  # 7
            "type": "object", "additionalProperties": False,
            "required": ["SPDXID", "name", "downloadLocation"],
            "properties": {
                "SPDXID": SPDXID, "name": TEXT, "versionInfo": TEXT, "downloadLocation": LOCATION,
                "filesAnalyzed": {"const": False},
                "licenseConcluded": LICENCE, "licenseDeclared": LICENCE, "copyrightText": TEXT,
                "primaryPackagePurpose": {"enum": [
                    "APPLICATION", "FRAMEWORK", "LIBRARY", "CONTAINER", "OPERATING-SYSTEM", "DEVICE",
                    "FIRMWARE", "SOURCE", "ARCHIVE", "FILE", "INSTALL", "OTHER"]},  # 7.24
                "summary": {"type": "string"}, "comment": TEXT, "checksums": CHECKSUMS,
                "externalRefs": {"type": "array", "items": {  # 7.21
                    "type": "object", "additionalProperties": False,
                    "required": ["referenceCategory", "referenceType", "referenceLocator"],
                    "properties": {"referenceCategory": {"const": "PACKAGE-MANAGER"},
                                   "referenceType": {"const": "purl"},
                                   "referenceLocator": {"type": "string", "pattern":
                                                        r"^pkg:deb/[^/@?#\s]+/[^/@?#\s]+@[^/@?#\s]+\?\S+$"}}}}}}},
        "files": {"type": "array", "items": {  # 8
            "type": "object", "additionalProperties": False,
            "required": ["SPDXID", "fileName", "checksums"],
            "properties": {
                "SPDXID": SPDXID, "fileName": {"type": "string", "pattern": r"^\./[^/]"},
                "checksums": CHECKSUMS, "licenseConcluded": LICENCE, "copyrightText": TEXT,
                "licenseInfoInFiles": {"type": "array", "items": LICENCE, "minItems": 1},
                "comment": TEXT}}},
        "relationships": {"type": "array", "minItems": 1, "items": {  # 11
            "type": "object", "additionalProperties": False,
            "required": ["spdxElementId", "relationshipType", "relatedSpdxElement"],
            "properties": {"spdxElementId": SPDXID, "relatedSpdxElement": SPDXID,
                           "relationshipType": {"enum": ["DESCRIBES", "CONTAINS", "GENERATED_FROM"]}}}},
    },
}

schemas = [schema] + [json.load(open(path)) for path in sys.argv[2:]]
for s in schemas:
    for error in jsonschema.Draft7Validator(s).iter_errors(doc):
        bad.append(f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}")

# Identifiers are unique, and a relationship has two existing ones.
elements = [doc] + doc["packages"] + doc["files"]
ids = [e["SPDXID"] for e in elements]
if len(set(ids)) != len(ids):
    bad.append("an SPDXID is there twice")
pairs = set()
for r in doc["relationships"]:
    for end in ("spdxElementId", "relatedSpdxElement"):
        if r[end] not in ids:
            bad.append(f"a relationship is with {r[end]}, which is nothing")
    pair = (r["spdxElementId"], r["relationshipType"], r["relatedSpdxElement"])
    if pair in pairs:
        bad.append(f"{pair} is there twice")
    pairs.add(pair)
if [p[2] for p in pairs if p[1] == "DESCRIBES"] != ["SPDXRef-Image"]:
    bad.append("the document does not describe the image")
related = {p[0] for p in pairs} | {p[2] for p in pairs}
for i in ids:
    if i not in related:
        bad.append(f"{i} has to do with nothing")

# The packages and files are exactly those of manifest.json.
packages = {p["SPDXID"]: p for p in doc["packages"]}
by = {kind: [p for i, p in packages.items() if i.startswith(f"SPDXRef-{kind}-")] for kind in ("Package", "Artifact")}
have = [(p["name"], p["versionInfo"]) for p in by["Package"]]
want = [(p["name"], p["version"]) for p in manifest["packages"]]
if have != want:
    bad.append(f"{len(have)} packages, the manifest has {len(want)}, or others")
for p, m in zip(by["Package"], manifest["packages"]):
    m_purl = re.match(r"pkg:deb/[^/]+/([^@]+)@([^?]+)\?arch=([^&]+)", p["externalRefs"][0]["referenceLocator"])
    parts = tuple(map(urllib.parse.unquote, m_purl.groups())) if m_purl else ()
    if parts != (m["name"], m["version"], m["arch"]):
        bad.append(f"{m['name']}: its package URL is of {parts}")
have = [(p["name"], p["checksums"][0]["checksumValue"]) for p in by["Artifact"]]
if have != [(i["name"], i["sha256"]) for i in manifest["inputs"]]:
    bad.append("the artifacts are not the manifest's inputs")
for p, i in zip(by["Artifact"], manifest["inputs"]):
    if i["url"].startswith("http") and p["downloadLocation"] != i["url"]:
        bad.append(f"{p['name']} is from {p['downloadLocation']}, the manifest says {i['url']}")
files = {f["fileName"][1:]: f["checksums"][0]["checksumValue"] for f in doc["files"] if f["SPDXID"].startswith("SPDXRef-File-")}
if files != {f["path"]: f["sha256"] for f in manifest["files"] if f["type"] == "file"}:
    bad.append("the files are not the manifest's")
outputs = {f["fileName"][2:]: f["checksums"][0]["checksumValue"] for f in doc["files"] if f["SPDXID"].startswith("SPDXRef-Output-")}
if outputs != {o["path"]: o["sha256"] for o in manifest["outputs"]}:
    bad.append("the outputs are not the manifest's")

for line in bad[:20]:
    print(line, file=sys.stderr)
sys.exit(bool(bad))
