"""Patterns of `paths` and `exclude`: `*` and `?` within a name, `**` across directories, `[a-z]`, `{a,b}`."""
import os
import re

_META = re.compile(r"[*?\[{\\]")


def braces(pattern):
    """Alternatives written out: `a{b,c/d}` -> `ab`, `ac/d`. Nested ones too."""
    depth, start, commas = 0, -1, []
    i = 0
    while i < len(pattern):
        char = pattern[i]
        if char == "\\":
            i += 1
        elif char == "{":
            depth += 1
            if depth == 1:
                start, commas = i, []
        elif char == "," and depth == 1:
            commas.append(i)
        elif char == "}" and depth:
            depth -= 1
            if depth == 0:
                edges = [start, *commas, i]
                return [
                    whole
                    for left, right in zip(edges, edges[1:])
                    for whole in braces(pattern[:start] + pattern[left + 1 : right] + pattern[i + 1 :])
                ]
        i += 1
    return [pattern]


def _name_regex(part):
    """One component as a regular expression."""
    out = ""
    i = 0
    while i < len(part):
        char = part[i]
        if char == "\\" and i + 1 < len(part):
            i += 1
            out += re.escape(part[i])
        elif char == "*":
            out += "[^/]*"
        elif char == "?":
            out += "[^/]"
        elif char == "[" and (end := part.find("]", i + 2)) > 0:
            inner = part[i + 1 : end].replace("\\", "\\\\")
            if inner[0] in "!^":
                inner = "^/" + inner[1:]
            out += f"[{inner}]"
            i = end
        else:
            out += re.escape(char)
        i += 1
    return re.compile(out, re.DOTALL)


def _compile(pattern):
    return [None if part == "**" else _name_regex(part) for part in pattern.split("/") if part not in ("", ".")]


def _match_parts(regexes, parts):
    if not regexes:
        return not parts
    if regexes[0] is None:
        return any(_match_parts(regexes[1:], parts[i:]) for i in range(len(parts) + 1))
    return bool(parts) and bool(regexes[0].fullmatch(parts[0])) and _match_parts(regexes[1:], parts[1:])


def matches(pattern, path):
    parts = [part for part in path.split("/") if part not in ("", ".")]
    return any(_match_parts(_compile(single), parts) for single in braces(pattern))


def split(pattern):
    """The directory before the first component with a special character, and the rest."""
    if not _META.search(pattern):
        return pattern, ""
    parts = pattern.split("/")
    for i, part in enumerate(parts):
        if _META.search(part):
            return "/".join(parts[:i]) or ("/" if pattern.startswith("/") else "."), "/".join(parts[i:])
    return pattern, ""


def glob(pattern):
    """Existing paths, relative to the current directory, sorted. Symbolic links below the fixed part are not followed."""
    found = set()
    for single in braces(pattern):
        base, rest = split(single)
        if rest:
            _walk(base, _compile(rest), found)
        elif os.path.lexists(single):
            found.add(os.path.normpath(single))
    return sorted(found)


def _walk(directory, regexes, found):
    regex, rest = regexes[0], regexes[1:]
    if regex is None:
        if rest:
            _walk(directory, rest, found)
        else:
            found.add(os.path.normpath(directory))
    try:
        entries = list(os.scandir(directory))
    except OSError:
        return
    for entry in entries:
        path = os.path.join(directory, entry.name)
        real_directory = entry.is_dir(follow_symlinks=False)
        if regex is None:
            if real_directory:
                _walk(path, regexes, found)
            elif not rest:
                found.add(os.path.normpath(path))
        elif regex.fullmatch(entry.name):
            if not rest:
                found.add(os.path.normpath(path))
            elif real_directory:
                _walk(path, rest, found)
