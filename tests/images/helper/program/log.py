"""Messages as job logs show them: colour, level, text in a column, then fields. Everything goes to stderr."""
import sys

RESET = "\x1b[0;m"
_LEVELS = {
    "info": ("", ""),
    "warning": ("\x1b[0;33m", "WARNING: "),
    "error": ("\x1b[31;1m", "ERROR: "),
    "fatal": ("\x1b[31;1m", "FATAL: "),
}


class Fatal(Exception):
    """Ends the program with exit status 1 after its text was logged."""


def _log(level, text, fields):
    color, prefix = _LEVELS[level]
    line = f"{color}{prefix}{text:<{50 - len(prefix)}}{RESET} "
    for key in sorted(fields):
        line += f" {color}{key}{RESET}={fields[key]}"
    print(line, file=sys.stderr, flush=True)


def info(text, **fields):
    _log("info", text, fields)


def warning(text, **fields):
    _log("warning", text, fields)


def error(text, **fields):
    _log("error", text, fields)


def fatal(text):
    _log("fatal", text, {})
