#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Damage the call frame information of an object and leave its instructions
alone. Whatever unwind-table still believes has to be as true as before: one
instruction has one frame. Then damage all of the object: unwind-table may
refuse it, but must not crash.

Usage: fuzz-cfi.py UNWIND_TABLE OBJECT [ROUNDS [SEED]]
"""

import os
import random
import re
import struct
import subprocess
import sys
import tempfile


# What is true ahead of the first instruction of a function
ENTRY = "cfa=sp+0 ra=lr fp=x29"


def section(data, name):
    """Offset and size of a section of an ELF64 file"""
    shoff, = struct.unpack_from("<Q", data, 0x28)
    shnum, shstrndx = struct.unpack_from("<HH", data, 0x3c)
    headers = [struct.unpack_from("<IIQQQQIIQQ", data, shoff + 64 * i)
               for i in range(shnum)]
    names = headers[shstrndx][4]
    for header in headers:
        start = names + header[0]
        if data[start:data.index(b"\0", start)] == name:
            return header[4], header[5]
    sys.exit("no section " + name.decode())


def dump(tool, path):
    """{(function, offset): rule} of what is believed, or None if refused"""
    # Of its own time: the machine may be busy
    run = subprocess.run(["prlimit", "--cpu=10", tool, "--dump", path],
                         capture_output=True, encoding="latin-1", check=False)
    if run.returncode == 1 and "unwind-table: " in run.stderr:
        return None
    if run.returncode:
        os.replace(path, "fuzz-cfi.o")
        sys.exit(f"exit status {run.returncode}, kept as fuzz-cfi.o\n{run.stderr}")
    rules, func = {}, None
    for line in run.stdout.splitlines():
        if not line.startswith(" "):
            func = line.split(":")[0]
            continue
        offset, rule = line.split(None, 1)
        if rule != "?":
            rules[func, offset] = rule
    return rules


def agrees(old, new):
    """The new rule is one of the answers that the old line allows"""
    pattern = r"cfa=(\w+)\+(\d+) ra=(\S+) fp=(\S+)"
    old, new = re.match(pattern, old).groups(), re.match(pattern, new).groups()
    # X29 and SP can both lead to the CFA; from SP the distance has to be right
    if old[0] == new[0] and old[1] != new[1]:
        return False
    return all(there.split(",")[0] in here.split(",")
               for here, there in zip(old[2:], new[2:]))


def main():
    """Run as many rounds as asked for"""
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    tool, path = sys.argv[1:3]
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 1000
    random.seed(int(sys.argv[4]) if len(sys.argv) > 4 else 1)

    with open(path, "rb") as file:
        good = file.read()
    offset, size = section(good, b".eh_frame")
    truth = dump(tool, path)
    print(f"{len(truth)} instructions are believed in {path}")

    refused = same = fewer = 0
    with tempfile.TemporaryDirectory() as directory:
        bad_path = os.path.join(directory, "damaged.o")
        for number in range(rounds):
            data = bytearray(good)
            everywhere = number % 8 == 7
            for _ in range(random.choice((1, 1, 2, 4, 16))):
                at = random.randrange(len(data)) if everywhere else \
                    offset + random.randrange(size)
                data[at] = random.choice((0, 0xff, data[at] ^ 1 << random.randrange(8),
                                          (data[at] + 1) & 0xff,
                                          (data[at] - 1) & 0xff,
                                          random.randrange(256)))
            with open(bad_path, "wb") as file:
                file.write(data)
            rules = dump(tool, bad_path)
            if rules is None:
                refused += 1
                continue
            # Other instructions have other truths
            if everywhere:
                continue
            lost = len(truth) - len(rules)
            for place, rule in rules.items():
                # Without its description a function's NOPs are its neighbour's
                was = truth.get(place, ENTRY)
                if not agrees(was, rule):
                    with open("fuzz-cfi.o", "wb") as file:
                        file.write(data)
                    sys.exit(f"round {number}: {place} was {was}, "
                             f"is {rule}; kept as fuzz-cfi.o")
            if lost > 0:
                fewer += 1
            else:
                same += 1
    print(f"{rounds} damaged objects: {refused} refused, {fewer} believed less, "
          f"{same} as much as before; nothing else was believed")


if __name__ == "__main__":
    main()
