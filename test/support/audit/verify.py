#!/usr/bin/env python3
"""Checks an audit as docs/audit.md says, with nothing but the standard library.

usage: verify.py HOME…

Prints one JSON object a finding: {"home", "log", "severity", "rule"}. Exits 8 when something was tampered with, else 0.
The public key is that of HOME/keys/audit.ed25519, read by openssl.
"""
import base64
import hashlib
import json
import os
import re
import subprocess
import sys

ENDING = re.compile(rb',"signature":"([0-9a-f]{128})","hash":"([0-9a-f]{64})"\}\Z')
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")
ZEROS = "0" * 64
LONGEST = 4 * 1024 * 1024

# Ed25519 (RFC 8032), verification only, in extended coordinates.
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def add(a, b):
    x1, y1, z1, t1 = a
    x2, y2, z2, t2 = b
    e = (y1 - x1) * (y2 - x2) % P
    f = (y1 + x1) * (y2 + x2) % P
    g = 2 * t1 * t2 * D % P
    h = 2 * z1 * z2 % P
    return (f - e) * (h - g) % P, (h + g) * (f + e) % P, (h - g) * (h + g) % P, (f - e) * (f + e) % P


def times(n, point):
    result = (0, 1, 1, 0)
    while n:
        if n & 1:
            result = add(result, point)
        point = add(point, point)
        n >>= 1
    return result


def point_of(data):
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if y >= P:
        return None
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * ROOT % P
    if (x * x - x2) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


BASE = point_of((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def signed_by(key, message, signature):
    a, r, s = point_of(key), point_of(signature[:32]), int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    x1, y1, z1, _ = times(s, BASE)
    x2, y2, z2, _ = add(r, times(k, a))
    return (x1 * z2 - x2 * z1) % P == 0 and (y1 * z2 - y2 * z1) % P == 0


class Line:
    """A line taken apart; `ok` when it is intact."""

    def __init__(self, data):
        self.ok, self.content = False, {}
        match = ENDING.search(data)
        if match is None or len(data) > LONGEST:
            return
        self.signature = bytes.fromhex(match[1].decode())
        self.hash = match[2].decode()
        self.signed = data[: match.start()] + b"}"
        hashed = data[: match.start() + len(',"signature":""') + 128] + b"}"
        try:
            self.content = json.loads(self.signed)
        except ValueError:
            return
        if isinstance(self.content, dict):
            self.ok = hashlib.sha256(hashed).hexdigest() == self.hash
        else:
            self.content = {}


class Audit:
    def __init__(self, home, key):
        self.dir, self.keys, self.key, self.findings = os.path.join(home, "audit"), os.path.join(home, "keys"), key, []

    def find(self, log, severity, rule):
        self.findings.append({"log": log, "severity": severity, "rule": rule})

    def lines(self, log):
        """The lines of a log, and what is behind the last line feed; None where there is no such file."""
        path = os.path.join(self.dir, log + ".jsonl")
        if not os.path.exists(path):
            return None, b""
        with open(path, "rb") as file:
            *whole, rest = file.read().split(b"\n")
        return [Line(data) for data in whole], rest

    def judge_rest(self, log, rest):
        if rest and Line(rest[:-1]).ok:
            self.find(log, "tampering", "line feed")
        elif rest:
            self.find(log, "crash", "torn")

    def set_aside(self, log, digest):
        path = os.path.join(self.dir, f"{log}.torn-{str(digest)[:16]}")
        if not os.path.exists(path):
            return self.find(log, "tampering", "torn bytes")
        with open(path, "rb") as file:
            if hashlib.sha256(file.read()).hexdigest() != digest:
                self.find(log, "tampering", "torn bytes")

    def chain(self, log, lines, number):
        before = None
        for at, line in enumerate(lines):
            if not line.ok:
                self.find(log, "tampering", "not intact")
            elif line.content.get(number) != at + 1:
                self.find(log, "tampering", "number")
            elif line.content.get("prev_hash") != (before.hash if before and before.ok else ZEROS) and (before is None or before.ok):
                self.find(log, "tampering", "prev_hash")
            before = line

    def check_head(self):
        lines, rest = self.lines("head")
        heads = {}
        if lines is None:
            if os.path.exists(os.path.join(self.keys, "audit.pub")):
                self.find("head", "tampering", "no head")
            return heads
        self.chain("head", lines, "head_seq")
        for line in lines:
            if not line.ok:
                continue
            slug, seq = line.content.get("bottle_slug"), line.content.get("seq")
            if line.content.get("key") != self.key.hex():
                self.find("head", "tampering", "key")
            if seq != heads.get(slug, (0, ""))[0] + 1:
                self.find("head", "tampering", "entry number")
            heads[slug] = (seq, line.content.get("entry_hash"))
            if "torn" in line.content:
                self.set_aside("head", line.content["torn"])
        if lines and lines[-1].ok and not signed_by(self.key, lines[-1].signed, lines[-1].signature):
            self.find("head", "tampering", "signature")
        self.judge_rest("head", rest)
        return heads

    def check_log(self, slug, head):
        lines, rest = self.lines(slug)
        top, top_hash = head or (0, "")
        if lines is None:
            return self.find(slug, "tampering", "no log") if top else None
        self.chain(slug, lines, "seq")
        good = [line for line in lines if line.ok]
        for line in good:
            if line.content.get("bottle_slug") != slug:
                self.find(slug, "tampering", "slug")
            if line.content.get("component") == "session" and line.content.get("operator_action") == "repair":
                self.set_aside(slug, (line.content.get("detail") or {}).get("torn_sha256"))
        named = [line for line in good if line.content.get("seq") == top]
        if top and not named and all(line.ok for line in lines):
            self.find(slug, "tampering", "cut tail")
        elif top and any(line.hash != top_hash for line in named):
            self.find(slug, "tampering", "not the head's")
        else:
            self.judge_rest(slug, rest)
        beyond = [line for line in good if line.content.get("seq", 0) > top]
        if len(beyond) > 1 or any(not signed_by(self.key, line.signed, line.signature) for line in beyond):
            self.find(slug, "tampering", "beyond the head")
        elif beyond:
            self.find(slug, "crash", "unheaded")

    def check(self):
        heads = self.check_head()
        names = os.listdir(self.dir) if os.path.isdir(self.dir) else []
        logs = {name[: -len(".jsonl")] for name in names if name.endswith(".jsonl")} | set(heads)
        for slug in sorted(log for log in logs if isinstance(log, str) and log != "head" and SLUG.match(log)):
            self.check_log(slug, heads.get(slug))


def public_key(home):
    command = ["openssl", "pkey", "-in", os.path.join(home, "keys", "audit.ed25519"), "-pubout"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return base64.b64decode("".join(line for line in text.split("\n") if not line.startswith("-")))[-32:]


def main():
    findings = []
    for home in sys.argv[1:]:
        audit = Audit(home, public_key(home))
        audit.check()
        findings += [{"home": home, **finding} for finding in audit.findings]
    for finding in findings:
        print(json.dumps(finding))
    sys.exit(8 if any(finding["severity"] == "tampering" for finding in findings) else 0)


main()
