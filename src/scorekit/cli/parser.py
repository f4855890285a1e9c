"""The argument parser of both commands: help ends with an example, errors are one line and suggest a spelling."""

import argparse
import re
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

_INVALID_COMMAND = re.compile(r"argument COMMAND: invalid choice: '(?P<command>.*?)' .*", re.DOTALL)
_NO_COMMAND = "the following arguments are required: COMMAND"


class CommandParser(argparse.ArgumentParser):
    """An ``ArgumentParser`` with examples in its help and errors without the usage above them.

    Subcommands are declared with ``add_subparsers(metavar="COMMAND")``: errors recognise them by that word. Every
    parser puts itself into the namespace as ``parser`` when it is chosen, so that :meth:`parse` can report a flag that
    nobody knows for the subcommand it was given to.
    """

    def __init__(self, *, examples: Sequence[str] = (), **options: Any) -> None:
        super().__init__(**options)
        self.examples = examples
        self.set_defaults(parser=self)

    def format_help(self) -> str:
        """argparse's help, with the examples as its last lines."""
        lines = "".join(f"  {example}\n" for example in self.examples)
        heading = "Examples" if len(self.examples) > 1 else "Example"
        return super().format_help() + (f"\n{heading}:\n{lines}" if lines else "")

    def parse(self, argv: Sequence[str] | None) -> argparse.Namespace:
        """The parsed command line. Ends with :meth:`error` where it has arguments that the subcommand does not take."""
        arguments, surplus = self.parse_known_args(argv)
        if surplus:
            arguments.parser.refuse(surplus)
        return arguments

    def refuse(self, surplus: Sequence[str]) -> NoReturn:
        """End with an error about arguments that nobody takes; a misspelt flag gets a suggestion."""
        flag = next((each.partition("=")[0] for each in surplus if each.startswith("-")), "")
        self.error(self.unknown_flag(flag) if flag else f"unexpected argument: {surplus[0]}")

    def error(self, message: str) -> NoReturn:
        """End with exit status 2 and one line on stderr. argparse prints the whole usage above it."""
        self.exit(2, f"{self.prog}: {self.reworded(message)}; see `{self.prog} --help`\n")

    def reworded(self, message: str) -> str:
        """argparse's error message, or a plainer one for an unknown or a missing subcommand."""
        if (match := _INVALID_COMMAND.fullmatch(message)) is not None:
            return self.unknown_command(match["command"]) + suggestion(match["command"], self._commands())
        return self.no_command() if message == _NO_COMMAND else message

    def unknown_flag(self, flag: str) -> str:
        """The message about a flag that this parser does not have."""
        return f"unknown flag: {flag}" + suggestion(flag, self._option_string_actions)

    def unknown_command(self, command: str) -> str:
        """The message about a subcommand that this parser does not have, without a suggestion."""
        return f"unknown command: {command}"

    def no_command(self) -> str:
        """The message about a missing subcommand."""
        return f"a command is missing: one of {', '.join(self._commands())}"

    def _commands(self) -> list[str]:
        return [
            name
            for action in self._actions
            if isinstance(action, argparse._SubParsersAction)  # argparse has no public name for it
            for name in action.choices
        ]


def suggestion(word: str, known: Iterable[str]) -> str:
    """`` (did you mean X?)`` for the known word that is spelt most alike; empty where none is close."""
    from difflib import get_close_matches  # needed only once something is wrong

    names = {name.lstrip("-"): name for name in known}  # the dashes that all flags share make them no more alike
    close = get_close_matches(word.lstrip("-"), names, n=1)
    return f" (did you mean {names[close[0]]}?)" if close else ""
