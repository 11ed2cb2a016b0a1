#!/usr/bin/python3
"""Stands in for bwrap where a test breaks the fence: the same call with one argument left out. The real one is at /usr/bin/yes."""
import os, sys

# The harness writes here what is left out, with the number of its values.
LEFT_OUT, VALUES = "@LEFT_OUT@", int("@VALUES@")
REAL = "/usr/bin/yes"


def without(args):
    kept, at = [], 0
    while at < len(args):
        if args[at] == LEFT_OUT:
            at += 1 + VALUES
        else:
            kept.append(args[at])
            at += 1
    return kept


argv = sys.argv[1:]
fds = [int(argv[i + 1]) for i, word in enumerate(argv) if word == "--args"]
for fd in fds:
    data = b""
    while part := os.read(fd, 65536):
        data += part
    args = [arg.decode() for arg in data.split(b"\0")[:-1]]
    copy = os.memfd_create("args", 0)
    os.write(copy, b"".join(arg.encode() + b"\0" for arg in without(args)))
    os.lseek(copy, 0, 0)
    os.dup2(copy, fd, inheritable=True)
end = argv.index("--") if "--" in argv else len(argv)
os.execv(REAL, ["bwrap", *without(argv[:end]), *argv[end:]])
