#!/usr/bin/python3 -ESs
"""gitlab-runner-helper for tests: the four commands that stage scripts call. Standard library only."""
import os
import sys

VERSION = "19.4.0"


def main(arguments):
    if not arguments or arguments[0] in ("--version", "-v", "-version"):
        machine = os.uname().machine
        machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)
        print(f"Version:      {VERSION}\nGit revision: test-image\nOS/Arch:      linux/{machine}")
        return 0
    import log

    command, rest = arguments[0], arguments[1:]
    try:
        if command in ("artifacts-uploader", "artifacts-downloader"):
            import artifacts

            (artifacts.upload if command == "artifacts-uploader" else artifacts.download)(rest)
        elif command in ("cache-archiver", "cache-extractor"):
            import cache

            try:
                (cache.archive_cache if command == "cache-archiver" else cache.extract_cache)(rest)
            except cache.Warned as problem:
                log.warning(str(problem))
                return 1
        else:
            log.fatal(f"Command {command} not found.")
            return 1
    except log.Fatal as problem:
        log.fatal(str(problem))
        return 1
    except Exception as problem:  # e.g. a damaged archive, a full disk
        log.fatal(f"{command}: {type(problem).__name__}: {problem}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
