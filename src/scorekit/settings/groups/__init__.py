"""Every setting of a server, in five groups, each declared once.

A group holds what one person changes for one reason: where the server listens, what clients may cost, which model it
serves, how many processes serve it, and what is logged and counted. To add a setting, declare it in its group: the
variable, the flag, the help text and the row of ``--explain`` follow. ``scorekit serve --help`` lists the flags in the
order in which they are declared.
"""

from dataclasses import dataclass

from .limits import Limits
from .listen import Listen
from .model import Model
from .observability import Observability
from .workers import Workers

__all__ = ["GROUPS", "Limits", "Listen", "Model", "Observability", "Settings", "Workers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of one server, read once at start by :func:`~scorekit.settings.read.read_settings`."""

    listen: Listen
    limits: Limits
    model: Model
    workers: Workers
    observability: Observability


GROUPS: dict[str, type] = {
    "listen": Listen,
    "limits": Limits,
    "model": Model,
    "workers": Workers,
    "observability": Observability,
}
"""The groups by the names of their fields in :class:`Settings`."""
