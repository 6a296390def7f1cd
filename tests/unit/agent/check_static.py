#!/usr/bin/env python3
"""Checks that an ELF program is at most 1 MiB, stripped, and needs no other file to run."""
import pathlib
import struct
import sys

LIMIT = 1 << 20
PT_DYNAMIC, PT_INTERP, SHT_SYMTAB = 2, 3, 2


def problems(data):
    if data[:4] != b"\x7fELF" or data[4] != 2:
        yield "not a 64-bit ELF file"
        return
    order = "<" if data[5] == 1 else ">"
    program, section = struct.unpack_from(order + "QQ", data, 32)
    sizes = struct.unpack_from(order + "HHHH", data, 54)
    for i in range(sizes[1]):
        kind, = struct.unpack_from(order + "I", data, program + i * sizes[0])
        if kind == PT_INTERP:
            yield "has an interpreter: it is linked dynamically"
        if kind == PT_DYNAMIC:
            yield "has a dynamic section: it is linked dynamically"
    for i in range(sizes[3]):
        _, kind = struct.unpack_from(order + "II", data, section + i * sizes[2])
        if kind == SHT_SYMTAB:
            yield "is not stripped"
    if len(data) > LIMIT:
        yield f"has {len(data)} bytes, more than {LIMIT}"


def main():
    path = pathlib.Path(sys.argv[1])
    found = list(problems(path.read_bytes()))
    for problem in found:
        print(f"{path.name}: {problem}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
