#!/usr/bin/env python3
"""Checks that a program loads only the shared libraries it is allowed to.

berth-run is started for each of a job's scripts: every library it does not load
is time that no script waits for.
"""
import re
import subprocess
import sys

# Name prefixes; the sanitizers' own libraries are those of the dev preset.
SANITIZERS = ("libasan.", "libubsan.")


def main():
    program, allowed = sys.argv[1], tuple(sys.argv[2:]) + SANITIZERS
    listing = subprocess.run(["readelf", "-d", program], check=True, capture_output=True,
                             text=True).stdout
    needed = re.findall(r"\(NEEDED\).*\[([^\]]+)\]", listing)
    surplus = [name for name in needed if not name.startswith(allowed)]
    print(f"check_needed: {program}: {', '.join(needed)}")
    for name in surplus:
        print(f"  {name} is not allowed")
    return 1 if surplus or not needed else 0


if __name__ == "__main__":
    sys.exit(main())
