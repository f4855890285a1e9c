"""Flags that are known only once a prototype is: read as pflag reads them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ...errors import SetupError

EVERYWHERE = {"dir": True, "verbose": False, "tls-skip-verify": False, "help": False}
"""Flags of every word, and whether they take a value."""
_SHORT = {"v": "verbose", "h": "help"}


@dataclass(slots=True)
class Parsed:
    words: list[str] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)


def first_word(arguments: Sequence[str]) -> str:
    """The first argument that is neither a flag nor a flag's value; empty where there is none."""
    rest = iter(arguments)
    for argument in rest:
        if argument == "--":
            return next(rest, "")
        if not argument.startswith("-") or argument == "-":
            return argument
        name, equals, _ = argument.lstrip("-").partition("=")
        if argument.startswith("--") and not equals and EVERYWHERE.get(name, True):
            next(rest, None)
    return ""


def parse(arguments: Sequence[str], known: Mapping[str, bool]) -> Parsed:
    """Words and flags; ``known`` says which flags take a value. Raises ``SetupError``."""
    found = Parsed()
    rest = iter(arguments)
    for argument in rest:
        if argument == "--":
            found.words += rest
        elif not argument.startswith("-") or argument == "-":
            found.words.append(argument)
        elif argument.startswith("--"):
            name, equals, value = argument[2:].partition("=")
            if not name or name.startswith("-"):
                raise SetupError(f"bad flag syntax: {argument}")
            if name not in known:
                raise SetupError(f"unknown flag: --{name}")
            if known[name] and not equals:
                value = next(rest, None)  # type: ignore[assignment]  # told of in the next line
                if value is None:
                    raise SetupError(f"flag needs an argument: --{name}")
            found.values[name] = value
        else:
            for letter in argument[1:]:
                if _SHORT.get(letter) not in known:
                    raise SetupError(f"unknown shorthand flag: '{letter}' in {argument}")
                found.values[_SHORT[letter]] = ""
    return found
