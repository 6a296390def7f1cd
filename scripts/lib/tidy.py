#!/usr/bin/env python3
"""Runs clang-tidy on files of a compile database, and remembers which are clean.

A file is checked again when its compile command, .clang-tidy, the program or any
file that it includes, also from the system, is another than when it was last found
clean; contents count, not times. What is known stands in BUILD_DIR/tidy/.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import time

INCLUDE = re.compile(rb'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.MULTILINE)
INCLUDED = re.compile(r"^\.+ (/\S.*)$", re.MULTILINE)
FINDING = re.compile(r"^(?=\S+:\d+:\d+: (?:error|warning|fatal error): )", re.MULTILINE)


class Digests:
    """Digests of files, each read once."""

    def __init__(self):
        self._known = {}

    def of(self, path):
        path = os.path.normpath(path)
        if path not in self._known:
            try:
                self._known[path] = hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()
            except OSError:
                self._known[path] = None
        return self._known[path]


class Tidy:
    def __init__(self, program, root, build):
        self._program = program
        self._build = build
        self._digests = Digests()
        self._memory = build / "tidy"
        database = json.loads((build / "compile_commands.json").read_text())
        self._commands = {os.path.normpath(os.path.join(entry["directory"], entry["file"])): entry
                          for entry in database}
        version = subprocess.run([program, "--version"], check=True, capture_output=True).stdout
        self._rules = hashlib.sha256(version + (root / ".clang-tidy").read_bytes()).hexdigest()

    def knows(self, path):
        return str(path) in self._commands

    def is_clean(self, path):
        """Was it found clean as it is now?"""
        try:
            record = json.loads(self._record(path).read_text())
        except (OSError, ValueError):
            return False
        return record["settings"] == self._settings(path) and all(
            self._digests.of(name) == digest for name, digest in record["inputs"].items())

    def check(self, path):
        """The findings in a file, each a text; none: it is clean."""
        # -H names every file that is included, on stderr.
        run = subprocess.run([self._program, "--quiet", "-p", str(self._build), "--extra-arg=-H", str(path)],
                             check=False, capture_output=True, text=True, errors="replace")
        findings = [text for text in FINDING.split(run.stdout) if FINDING.match(text)]
        if run.returncode != 0 and not findings:
            findings = [f"{path}: clang-tidy ended with {run.returncode}:\n" +
                        INCLUDED.sub("", run.stderr).strip() + "\n"]
        if not findings:
            inputs = {os.path.normpath(name) for name in INCLUDED.findall(run.stderr)} | {str(path)}
            record = {"settings": self._settings(path),
                      "inputs": {name: self._digests.of(name) for name in sorted(inputs)}}
            file = self._record(path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(record))
        return findings

    def _settings(self, path):
        command = self._commands[str(path)]["command"]
        return hashlib.sha256((self._rules + command).encode()).hexdigest()

    def _record(self, path):
        return self._memory / (hashlib.sha256(str(path).encode()).hexdigest()[:24] + ".json")


def changed_since(root, reference, files):
    """Those of `files` whose text, or that of one of our headers they include, is
    another than at `reference`."""
    git = ["git", "-C", str(root)]
    names = subprocess.run(git + ["diff", "--name-only", reference, "--"], check=True,
                           capture_output=True, text=True).stdout.splitlines()
    names += subprocess.run(git + ["ls-files", "-o", "--exclude-standard"], check=True,
                            capture_output=True, text=True).stdout.splitlines()
    changed = set(names)
    if ".clang-tidy" in changed:
        return files
    closures = {}

    def closure(name):
        if name not in closures:
            closures[name] = {name}  # also ends a circle
            try:
                text = (root / name).read_bytes()
            except OSError:
                return closures[name]
            for header in INCLUDE.findall(text):
                closures[name] = closures[name] | closure(header.decode())
        return closures[name]

    return [path for path in files if closure(path.relative_to(root).as_posix()) & changed]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default="clang-tidy")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--changed", metavar="REF", help="only files that changed since, or whose headers did")
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("files", nargs="+", type=pathlib.Path)
    arguments = parser.parse_args()
    root = pathlib.Path(__file__).resolve().parents[2]
    tidy = Tidy(arguments.program, root, arguments.build.resolve())

    files = [path.resolve() for path in arguments.files]
    unknown = [path for path in files if not tidy.knows(path)]
    if unknown:
        print(f"no target builds {', '.join(map(str, unknown))}: add it to a CMakeLists.txt")
        return 1
    if arguments.changed:
        files = changed_since(root, arguments.changed, files)
    start = time.monotonic()
    stale = [path for path in files if not tidy.is_clean(path)]
    seen = set()
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for findings in pool.map(tidy.check, stale):
            bad += bool(findings)
            for finding in findings:
                # One in a header is found by everyone who includes it.
                if finding not in seen:
                    seen.add(finding)
                    print(finding, end="", flush=True)
    print(f"{len(files)} files, {len(files) - len(stale)} known to be clean, {len(stale)} checked in "
          f"{time.monotonic() - start:.0f} s: {len(seen)} findings in {bad} files")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
