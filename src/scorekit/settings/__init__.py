"""The settings of a server: their names, how they are read once at start, and the limits that are not settings.

Every room may import this one; it imports ``errors`` only, and does no I/O.
Begin with :mod:`~scorekit.settings.groups`, where each setting is declared, in one place and once;
:mod:`~scorekit.settings.explain` is left out here, because only ``scorekit serve --explain`` needs it.
"""

from .declaration import Setting
from .files import parse_annotations, parse_environment_file
from .groups import Limits, Listen, Model, Observability, Settings, Workers
from .names import UNSET, UNSET_IMAGE
from .read import all_settings, read_settings, variables

__all__ = [
    "UNSET",
    "UNSET_IMAGE",
    "Limits",
    "Listen",
    "Model",
    "Observability",
    "Setting",
    "Settings",
    "Workers",
    "all_settings",
    "parse_annotations",
    "parse_environment_file",
    "read_settings",
    "variables",
]
