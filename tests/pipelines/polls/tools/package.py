#!/usr/bin/env python3
"""Packs the application into dist/ and tells later jobs what it is called."""
import hashlib
import pathlib
import sys
import tarfile

version = sys.argv[1]
dist = pathlib.Path("dist")
dist.mkdir(exist_ok=True)
package = dist / f"polls-{version}.tar.gz"
with tarfile.open(package, "w:gz") as archive:
    for name in ("manage.py", "polls", "site_config"):
        archive.add(name, filter=lambda member: None if "__pycache__" in member.name else member)
digest = hashlib.sha256(package.read_bytes()).hexdigest()
(dist / f"{package.name}.sha256").write_text(f"{digest}  {package.name}\n")
(dist / "package.env").write_text(f"PACKAGE_FILE={package}\nPACKAGE_VERSION={version}\n")
print(f"packed {package}, {package.stat().st_size} bytes")
