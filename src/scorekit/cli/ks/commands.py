"""How the commands of ``ks`` are declared: their parser, with ksonnet's messages, and functions that add a command."""

import argparse
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeAlias

from ...errors import SetupError
from ..parser import CommandParser, Commands

__all__ = ["Commands", "KsParser", "Run", "add_command", "add_group", "add_positionals", "add_uncounted", "positionals"]

Run: TypeAlias = Callable[[argparse.Namespace], int | None]
"""What a command does; returns its exit status, or ``None`` for 0."""


class KsParser(CommandParser):
    """The parser of ``ks`` and of each of its commands: ksonnet's messages (cobra's and pflag's), raised as errors.

    Every command takes the global flags, before and after its name. Their default is ``SUPPRESS``: otherwise the
    parser of a subcommand would replace a value that was given before its name.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"allow_abbrev": False, **options})
        if "-" not in self.prefix_chars:
            return
        add = self.add_argument
        add("--dir", default=argparse.SUPPRESS, metavar="DIR", help="find the app from this folder upwards")
        add("-v", "--verbose", action="count", default=argparse.SUPPRESS, help="accepted for compatibility; no effect")
        add(
            "--tls-skip-verify",
            action="store_true",
            default=argparse.SUPPRESS,
            help="do not verify the certificate of a cluster",
        )

    def error(self, message: str) -> NoReturn:
        """Raise ``SetupError``, so that a wrong command line ends as every other error does: with exit status 1."""
        raise SetupError(f"{self.reworded(message)}; see `{self.prog} --help`")

    def unknown_flag(self, flag: str) -> str:
        """pflag's message: ``unknown flag: --x`` or ``unknown shorthand flag: 'x' in -x``."""
        if flag.startswith("--"):
            return super().unknown_flag(flag)
        return f"unknown shorthand flag: '{flag[1:2]}' in {flag}"

    def unknown_command(self, command: str) -> str:
        """cobra's message for ``ks`` itself, ksonnet's message for a group."""
        if self.prog == "ks":
            return f'unknown command "{command}" for "ks"'
        return f"{command} is not a valid subcommand"

    def no_command(self) -> str:
        """ksonnet's message."""
        return f"Command '{self.prog.removeprefix('ks ')}' requires a subcommand"


def add_group(commands: Commands, name: str, summary: str) -> Commands:
    """Add a command that only has subcommands, such as ``ks env``; the result takes these."""
    group: CommandParser = commands.add_parser(name, help=summary, description=_sentence(summary))
    return group.commands()


def add_command(
    commands: Commands, name: str, summary: str, run: Run, *, examples: Sequence[str] = ()
) -> CommandParser:
    """Add a command that calls ``run``; the result takes its flags. ``summary`` begins with a verb in lower case."""
    parser: CommandParser = commands.add_parser(name, help=summary, description=_sentence(summary), examples=examples)
    # argparse would list every flag here, over up to ten lines; they are all explained below.
    parser.usage = f"{parser.prog} [flags]"
    parser.set_defaults(run=run)
    return parser


def add_positionals(parser: argparse.ArgumentParser, metavar: str, count: int, message: str) -> None:
    """Add arguments that :func:`positionals` counts.

    argparse could count them, but ksonnet has a message of its own for each command.
    """
    add_uncounted(parser, metavar)
    parser.set_defaults(positional_count=count, positional_message=message)


def add_uncounted(parser: argparse.ArgumentParser, metavar: str) -> None:
    """Add arguments, as ``positionals``, of which the command itself checks the number."""
    parser.usage = f"{parser.prog} {metavar} [flags]" if metavar else parser.usage
    parser.add_argument("positionals", nargs="*", help=argparse.SUPPRESS)


def positionals(arguments: argparse.Namespace) -> list[str]:
    """The arguments that :func:`add_positionals` added. Raises ``SetupError`` if their number is wrong."""
    given: list[str] = arguments.positionals
    if len(given) != arguments.positional_count:
        raise SetupError(arguments.positional_message)
    return given


def _sentence(summary: str) -> str:
    return summary[:1].upper() + summary[1:] + "."
