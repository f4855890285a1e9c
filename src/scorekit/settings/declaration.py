"""How one setting is declared: its default, its variable, how its text is read, and what a person must know about it.

A declaration is the only place that has to be written for a new setting. From it follow the variable that is read, the
flag of ``scorekit serve`` with its help text, and the row of ``scorekit serve --explain``.
"""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from .readings import OneOf, Reading, truth

T = TypeVar("T")

_KEY = "setting"
_PLACEHOLDERS = {"ms": "MS", "s": "S", "bytes": "BYTES", "bytes/s": "BYTES", "MB": "MB"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What is known about one setting: the field ``field`` of the group ``group``."""

    group: str
    field: str
    name: str
    """The name, which is that of the field unless it would be too short outside of its group."""
    variable: str
    """The environment variable."""
    read: Reading
    """Turns the text of the variable or flag into the value."""
    help: str
    """One sentence, for ``--help``."""
    default: Any = None
    unit: str = ""
    """The unit of a limit or timeout; only settings with one are listed by ``--explain``."""
    precedent: str = ""
    """Where the default comes from: other servers' defaults, or a measurement."""
    annotation: str = ""
    """The annotation of the pod that sets the value if neither variable nor flag does."""
    flag: bool = True
    """Whether ``scorekit serve`` has a flag for it; settings that only an operator sets have none."""
    metavar: str | None = None
    """The placeholder of the value in ``--help``; by default a limit has one for its unit."""
    topic: str = ""
    """The heading under which ``--help`` lists the flag, if it is not that of the group."""
    default_words: str = ""
    """The default, in words, where the value itself says too little."""

    @property
    def option(self) -> str:
        """The flag, for example ``--max-in-flight``."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def choices(self) -> tuple[str, ...] | None:
        """The allowed texts, if there are only a few."""
        return self.read.choices if isinstance(self.read, OneOf) else None

    @property
    def placeholder(self) -> str | None:
        """The placeholder of the value in ``--help``; ``None`` leaves it to argparse."""
        return self.metavar or (_PLACEHOLDERS.get(self.unit, "N") if self.unit else None)

    @property
    def is_switch(self) -> bool:
        """Whether the flag may be given without a value, which then means true."""
        return self.read is truth

    @property
    def default_text(self) -> str:
        """The default, in words."""
        if self.default_words:
            return self.default_words
        if isinstance(self.default, bool):
            return "on" if self.default else "off"
        return str(self.default) if isinstance(self.default, int) else self.default or "none"

    @property
    def flag_help(self) -> str:
        """The help text of the flag, followed by its default and its variable."""
        return f"{self.help} (default: {self.default_text}; {self.variable})"


def setting(
    default: T,
    variable: str,
    read: Reading,
    *,
    help: str,
    name: str = "",
    unit: str = "",
    precedent: str = "",
    annotation: str = "",
    flag: bool = True,
    metavar: str | None = None,
    topic: str = "",
    default_words: str = "",
    secret: bool = False,
) -> T:
    """Declare a field of a group of settings; the parameters are those of :class:`Setting`.

    A ``secret`` is left out of the group's ``repr``. ``name`` is needed only if it is not the field's.
    """
    known = {
        "name": name,
        "variable": variable,
        "read": read,
        "help": help,
        "unit": unit,
        "precedent": precedent,
        "annotation": annotation,
        "flag": flag,
        "metavar": metavar,
        "topic": topic,
        "default_words": default_words,
    }
    made: Any
    if default is REQUIRED:
        made = dataclasses.field(metadata={_KEY: known})
    elif isinstance(default, dict):
        made = dataclasses.field(default_factory=default.copy, metadata={_KEY: known})
    else:
        made = dataclasses.field(default=default, metadata={_KEY: known}, repr=not secret)
    return cast(T, made)  # what a type checker must believe of a field is what it will hold


REQUIRED: Any = object()
"""The default of a setting that has none."""


def declared(group: str, kind: type) -> Iterator[Setting]:
    """Yield the settings of the group ``kind``, called ``group``, in the order in which they are declared."""
    for field in dataclasses.fields(kind):
        default = None if field.default is dataclasses.MISSING else field.default
        known = {"group": group, "field": field.name, "default": default, **field.metadata[_KEY]}
        yield Setting(**{**known, "name": known["name"] or field.name})
