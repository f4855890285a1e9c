"""The command line of ``ks generate``, whose flags depend on the prototype that it names.

argparse needs all flags before it parses. Here the prototype is an argument among the flags, and its parameters are
flags. So such a command line is read twice by one parser: without knowing the flags, which gives the prototype and the
folder of the app; and again with the flags of that prototype.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ...errors import SetupError
from ..parser import suggestion

GLOBAL = {"dir": True, "verbose": False, "tls-skip-verify": False, "help": False}
"""The flags of every command, and whether each takes a value."""

_SHORT = {"v": "verbose", "h": "help"}


@dataclass(frozen=True, slots=True)
class ParsedLine:
    """``arguments`` are what stands beside the flags; ``flags`` are values by name, empty for a flag without one."""

    arguments: tuple[str, ...]
    flags: Mapping[str, str]


def parse(line: Sequence[str], known: Mapping[str, bool], *, allows_unknown: bool = False) -> ParsedLine:
    """Read a command line by the rules of pflag, ksonnet's library.

    ``known`` are the flags and whether each takes a value, as ``--flag value`` or ``--flag=value``. A flag that is not
    known raises ``SetupError``; if ``allows_unknown``, it is taken for one with a value. ``--`` ends the flags.
    """
    arguments: list[str] = []
    flags: dict[str, str] = {}
    rest = iter(line)
    for word in rest:
        if word == "--":
            arguments += rest
        elif word == "-" or not word.startswith("-"):
            arguments.append(word)
        elif word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            if not allows_unknown:
                _check(word, name, known)
            flags[name] = value if equals or not known.get(name, True) else _value(rest, name, allows_unknown)
        else:
            for letter in word[1:]:
                if _SHORT.get(letter) in known:
                    flags[_SHORT[letter]] = ""
                elif not allows_unknown:
                    raise SetupError(f"unknown shorthand flag: '{letter}' in {word}")
    return ParsedLine(tuple(arguments), flags)


def _check(word: str, name: str, known: Mapping[str, bool]) -> None:
    if not name or name.startswith("-"):
        raise SetupError(f"bad flag syntax: {word}")
    if name not in known:
        raise SetupError(f"unknown flag: --{name}" + suggestion(f"--{name}", [f"--{each}" for each in known]))


def _value(rest: Iterator[str], name: str, allows_missing: bool) -> str:
    value = next(rest, "" if allows_missing else None)
    if value is None:
        raise SetupError(f"flag needs an argument: --{name}")
    return value
