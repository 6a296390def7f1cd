"""Command lines: `--name value`, `--name=value`, one dash or two. A variable of the environment stands in for a flag."""
import os
import re

from log import Fatal

_UNITS = {"h": 3600, "m": 60, "s": 1, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


def duration(text):
    """Seconds of `1h2m3.5s`, or of a bare number of nanoseconds that is 0."""
    if text == "0":
        return 0.0
    parts = re.findall(r"([0-9.]+)(ms|us|µs|ns|h|m|s)", text)
    if not parts or "".join(a + b for a, b in parts) != text.lstrip("+-"):
        raise ValueError(f"invalid duration {text!r}")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def boolean(text):
    if text.lower() in ("1", "t", "true"):
        return True
    if text.lower() in ("", "0", "f", "false"):
        return False
    raise ValueError(f"invalid boolean {text!r}")


class Options:
    """Values by flag name; lists for repeatable flags."""

    def __init__(self, values):
        self._values = values

    def __getitem__(self, name):
        return self._values[name]


def parse(flags, environment, arguments):
    """flags: name -> (type, default); type `list` repeats. environment: name -> variable."""
    values = {name: ([] if kind is list else default) for name, (kind, default) in flags.items()}
    for name, variable in environment.items():
        if os.environ.get(variable):
            values[name] = _convert(name, flags[name][0], os.environ[variable])
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        match = re.fullmatch(r"--?([a-z0-9-]+)(?:=(.*))?", word, re.DOTALL)
        if not match or match[1] not in flags:
            raise Fatal(f"flag provided but not defined: {word.split('=')[0]}")
        name, text = match[1], match[2]
        kind = flags[name][0]
        if text is None:
            if kind is boolean:
                text = "true"
            elif rest:
                text = rest.pop(0)
            else:
                raise Fatal(f"flag needs an argument: --{name}")
        if kind is list:
            values[name].append(text)
        else:
            values[name] = _convert(name, kind, text)
    return Options(values)


def _convert(name, kind, text):
    try:
        return kind(text)
    except ValueError as problem:
        raise Fatal(f"invalid value {text!r} for flag --{name}: {problem}") from None


def expand(text):
    """$NAME, ${NAME} and ${NAME:-default} as within double quotes of a shell."""

    def value(match):
        if match[1]:
            return match[1][1]
        if match[2]:
            return os.environ.get(match[2], "")
        found = os.environ.get(match[3], "")
        return found if found or match[4] is None else expand(match[4])

    return re.sub(
        r"(\\[$`\"\\])|\$([A-Za-z_][A-Za-z0-9_]*)|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}", value, text
    )
