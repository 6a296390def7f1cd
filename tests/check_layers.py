#!/usr/bin/env python3
"""Checks that includes respect the layers of the tree (executor/README.md).

A folder may include itself and what the table lists for it; third-party headers
that are dear to compile or that leak types each have their one home.
"""
import pathlib
import re
import sys

EXECUTOR = ["support", "masking", "hints", "core", "settings", "gitlab", "state", "net", "process", "agentlink",
            "credentials", "sandbox", "dind", "docker", "kubernetes", "environments", "app"]
# Folders of the executor that may not see an earlier one all the same.
APART = {("docker", "kubernetes"), ("kubernetes", "docker"), ("environments", "docker"),
         ("environments", "kubernetes")}
# Parts of those that are libraries of their own, and may be seen all the same.
SHARED = {("executor/environments", "executor/kubernetes/api")}
# Third-party headers: the folders that may include them in a .cpp, and whether a header may.
HOMES = {
    r"boost/process": {"executor/process"},
    r"boost/(beast|asio)": {"executor/net", "executor/kubernetes", "cli/local", "tests"},
    r"curl/": {"executor/net"},
    r"CLI/": {"cli"},
    r"zlib\.h": {"executor/credentials", "tests"},
    r"re2/": {"cli/local/pipeline", "executor/settings"},
    r"date/": {"executor/settings"},
    r"yaml-cpp/": {"executor/settings", "executor/kubernetes", "executor/credentials", "cli", "tests"},
    r"openssl/": {"executor/net", "executor/credentials", "executor/support", "executor/sandbox", "executor/dind", "executor/docker",
                  "executor/kubernetes", "cli", "tests"},
}
HEADER_OK = re.compile(r"nlohmann/json_fwd\.hpp|fmt/|catch2/")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]')


def folder_of(path):
    parts = path.split("/")
    if parts[0] == "executor" and len(parts) > 2:
        return "/".join(parts[:2])
    if parts[0] == "agent" and len(parts) > 2 and parts[1] == "protocol":
        return "agent/protocol"
    return parts[0]


def may_see(source, target):
    if source == target or source.startswith("tests"):
        return True
    if source == "agent/protocol":
        return False
    if source == "agent":
        return target == "agent/protocol"
    if source == "stages":
        return target.startswith("executor/")
    if source == "cli":
        return target.startswith("executor/") or target == "stages"
    if not source.startswith("executor/"):
        return False
    if target == "agent/protocol":
        return source == "executor/agentlink" or EXECUTOR.index(source[9:]) > EXECUTOR.index("agentlink")
    if not target.startswith("executor/"):
        return False
    here, there = source[9:], target[9:]
    if here not in EXECUTOR or there not in EXECUTOR or (here, there) in APART:
        return False
    return EXECUTOR.index(there) < EXECUTOR.index(here)


def check(root, path):
    relative = path.relative_to(root).as_posix()
    source = folder_of(relative)
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        quote, name = match.groups()
        where = f"{relative}:{number}"
        if quote == '"':
            if not (root / name).exists():
                yield f"{where}: include project headers from the root of the tree: \"{name}\""
            elif not may_see(source, folder_of(name)) and (source, "/".join(name.split("/")[:3])) not in SHARED:
                yield f"{where}: {source} may not include {folder_of(name)}"
            continue
        for pattern, homes in HOMES.items():
            if re.match(pattern, name) and not any(relative.startswith(home) for home in homes):
                yield f"{where}: <{name}> belongs to {', '.join(sorted(homes))} only"
        third_party = re.match(r"(boost|curl|CLI|re2|yaml-cpp|openssl|nlohmann|fmt|catch2)/", name)
        if third_party and relative.endswith(".hpp") and not relative.startswith("tests/") \
                and not HEADER_OK.match(name):
            yield f"{where}: keep third-party headers out of ours: <{name}>"


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    problems = []
    files = 0
    for top in ("agent", "executor", "stages", "cli", "tests"):
        for path in sorted((root / top).rglob("*")):
            if path.suffix in (".hpp", ".cpp"):
                files += 1
                problems.extend(check(root, path))
    for problem in problems:
        print(problem)
    print(f"check_layers: {files} files, {len(problems)} problems")
    return 1 if problems or not files else 0


if __name__ == "__main__":
    sys.exit(main())
