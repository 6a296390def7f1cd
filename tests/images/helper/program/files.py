"""Which files `paths`, `exclude` and `untracked` name. Paths are relative to the current directory, the project's."""
import os
import subprocess

import globbing
import log


class Selection:
    """`files`: path -> lstat, filled by enumerate()."""

    def __init__(self, paths, exclude, untracked):
        self._root = os.getcwd()
        self._paths = paths
        self._exclude = exclude
        self._untracked = untracked
        self._excluded = {}
        self.files = {}

    def enumerate(self):
        for path in self._paths:
            self._add_pattern(path)
        if self._untracked:
            self._add_untracked()
        for rule, count in self._excluded.items():
            log.info(f"{rule}: excluded {count} files")
        return self.files

    def newer_than(self, archive):
        """Whether a file changed after the archive was written (or there is none)."""
        try:
            written = os.stat(archive).st_mtime_ns
        except FileNotFoundError:
            return True
        return any(status.st_mtime_ns > written for status in self.files.values())

    def _relative(self, pattern):
        """The pattern relative to the root, or None if it leads out of it."""
        base, rest = globbing.split(pattern)
        relative = os.path.relpath(os.path.abspath(base), self._root)
        if relative == ".." or relative.startswith("../"):
            return None
        return os.path.join(relative, rest) if rest else relative

    def _add_pattern(self, pattern):
        if not pattern:
            log.warning("No matching files. Path is empty.")
            return
        relative = self._relative(pattern)
        if relative is None:
            log.warning(f"processPath: artifact path is not a subpath of project directory: {pattern}")
            return
        found = 0
        for match in globbing.glob(relative):
            found += self._add(match)
            if os.path.islink(match):
                continue
            for directory, folders, names in os.walk(match):
                found += sum(self._add(os.path.join(directory, name)) for name in sorted(folders + names))
        if found:
            log.info(f"{pattern}: found {found} matching artifact files and directories")
        else:
            log.warning(
                f"{pattern}: no matching files. Ensure that the artifact path is relative to the working directory "
                f"({self._root})"
            )

    def _add_untracked(self):
        result = subprocess.run(["git", "ls-files", "-o", "-z"], stdout=subprocess.PIPE, check=False)
        if result.returncode:
            log.warning(f"untracked: exit status {result.returncode}")
            return
        found = sum(self._add(os.fsdecode(name)) for name in result.stdout.split(b"\0") if name)
        if found:
            log.info(f"untracked: found {found} files")
        else:
            log.warning("untracked: no files")

    def _add(self, path):
        path = os.path.normpath(path)
        for rule in self._exclude:
            relative = self._relative(rule)
            if relative is not None and globbing.matches(relative, path):
                self._excluded[rule] = self._excluded.get(rule, 0) + 1
                return False
        try:
            self.files[path] = os.lstat(path)
        except FileNotFoundError:
            return False
        except OSError as problem:
            log.warning(f"{path}: {problem}")
            return False
        return True
