"""The flags of ``scorekit serve``, in the groups of its help.

The flags of settings, with their help texts, follow from the declarations in ``settings.groups``.
"""

import argparse
from typing import Any

from ..settings import Setting, all_settings
from .parser import CommandParser

INERT = ("persistence", "tracing", "debug", "threads", "keepalive", "single-threaded", "pidfile", "grpc-threads")
"""Flags of the stock wrapper that are accepted without an effect, so that old command lines keep starting."""

_TOPICS = ("what to serve", "ports", "batching", "workers", "limits", "security", "observability")
"""The headings of the help, the most common flags first."""

_TOPIC_OF_GROUP = {
    "listen": "ports",
    "limits": "limits",
    "model": "what to serve",
    "workers": "workers",
    "observability": "observability",
}
"""The heading of a group's settings, unless a setting names another."""


def add_flags(parser: CommandParser) -> None:
    """Add the argument and the flags of ``scorekit serve`` to ``parser``, group by group."""
    groups = {topic: parser.add_argument_group(topic) for topic in _TOPICS}
    groups["what to serve"].add_argument(
        "component",
        metavar="DIR_OR_MODULE",
        help="the component's folder, or a module of the current folder, such as MLModel or package.module.Class",
    )
    for setting in all_settings():
        if setting.flag:
            _add_flag(groups[setting.topic or _TOPIC_OF_GROUP[setting.group]], setting)
    observability = groups["observability"]
    observability.add_argument(
        "--explain", action="store_true", help="print every limit and timeout with its value and source, and exit"
    )
    observability.add_argument("--timings", action="store_true", help="print how long each step of the start took")
    stock = parser.add_argument_group(
        "flags of seldon-core-microservice without an effect",
        f"Accepted, so that old command lines still work: {', '.join(f'--{name}' for name in INERT)}.",
    )
    for name in INERT:
        stock.add_argument(f"--{name}", nargs="?", const="1", help=argparse.SUPPRESS)


def _add_flag(group: argparse._ArgumentGroup, setting: Setting) -> None:
    options: dict[str, Any] = {"nargs": "?", "const": "true"} if setting.is_switch else {}
    group.add_argument(
        setting.option, metavar=setting.placeholder, choices=setting.choices, help=setting.flag_help, **options
    )
