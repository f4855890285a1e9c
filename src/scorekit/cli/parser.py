"""The argument parser of both commands: help ends with an example, errors are short and suggest a spelling.

It uses the public interface of argparse and a few of its ``_names``, the same in Python 3.11 to 3.14. Python 3.14 can
suggest spellings itself (``suggest_on_error``); that stays off, because older versions cannot.
"""

import argparse
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn, TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[CommandParser]"
"""Where subcommands are added, by ``add_parser``; :meth:`CommandParser.commands` makes it."""

USAGE_ERROR = 2
"""The exit status for a command line that cannot be parsed, as in argparse."""

_REQUIRED = "the following arguments are required: "


class CommandHelpFormatter(argparse.HelpFormatter):
    """argparse's formatter, but names of flags are never broken at a hyphen, so that they can be copied from a text.

    The column of flags is wider, and the list of commands has no line ``COMMAND`` above it.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"max_help_position": 28, **options})

    def _split_lines(self, text: str, width: int) -> list[str]:
        import textwrap  # a help is printed; most starts print none

        return textwrap.wrap(" ".join(text.split()), width, break_on_hyphens=False)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(indent + line for line in self._split_lines(text, width - len(indent)))

    def _format_action(self, action: argparse.Action) -> str:
        if isinstance(action, argparse._SubParsersAction):
            return "".join(self._format_action(each) for each in action._get_subactions())
        return super()._format_action(action)


class CommandParser(argparse.ArgumentParser):
    """An ``ArgumentParser`` with examples in its help and errors without the usage above them.

    Every parser puts itself into the namespace as ``parser`` when it is chosen, so that :meth:`parse` can report a flag
    that nobody knows for the subcommand it was given to.

    ``examples`` are command lines. ``when_missing`` replaces argparse's message about a missing argument: it says what
    to do next. ``add_parser`` takes both too. The messages are methods, so that ``ks`` can use ksonnet's.
    """

    def __init__(self, *, examples: Sequence[str] = (), when_missing: str = "", **options: Any) -> None:
        super().__init__(**{"formatter_class": CommandHelpFormatter, **options})
        self.examples = tuple(examples)
        self.when_missing = when_missing
        self._argv: Sequence[str] = ()
        # The defaults of a subparser replace those of the parser above it, so the innermost one stays.
        self.set_defaults(parser=self)

    def format_help(self) -> str:
        """argparse's help, with the examples as its last lines."""
        lines = "".join(f"  {example}\n" for example in self.examples)
        heading = "Examples" if len(self.examples) > 1 else "Example"
        return super().format_help() + (f"\n{heading}:\n{lines}" if lines else "")

    def commands(self, *, required: bool = True) -> Commands:
        """Give this parser subcommands."""
        # Without prog, argparse takes it from a formatted usage line, which may have colours from Python 3.14 on.
        return self.add_subparsers(title="commands", metavar="COMMAND", required=required, prog=self.prog)

    def parse(self, argv: Sequence[str] | None = None) -> argparse.Namespace:
        """The parsed command line; that of the process if ``argv`` is ``None``.

        Ends with :meth:`error` if it has arguments that the subcommand does not take. A subcommand with a default for
        ``surplus`` gets them there instead.
        """
        arguments: argparse.Namespace
        arguments, surplus = self.parse_known_args(argv)
        if hasattr(arguments, "surplus"):
            arguments.surplus = surplus
        elif surplus:
            arguments.parser.refuse(surplus)
        return arguments

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As in argparse. The arguments are kept for :meth:`reworded`."""
        self._argv = list(args or ())  # argparse passes a list to the parser of a subcommand
        return super().parse_known_args(args, namespace)

    def refuse(self, surplus: Sequence[str]) -> NoReturn:
        """End with an error about arguments that nobody takes; a misspelt flag gets a suggestion."""
        flag = next((each.partition("=")[0] for each in surplus if each.startswith("-")), "")
        self.error(self.unknown_flag(flag) if flag else f"unexpected argument: {surplus[0]}")

    def error(self, message: str) -> NoReturn:
        """End with exit status 2 and two lines on stderr: what is wrong, and which command prints the help."""
        self.exit(USAGE_ERROR, f"{self.prog}: {self.reworded(message)}\nSee '{self.prog} --help'.\n")

    def reworded(self, message: str) -> str:
        """argparse's error message, or a plainer one about missing arguments."""
        if not message.startswith(_REQUIRED):
            return message
        # argparse reports a missing argument before it looks at unknown flags. But the reader of an error about
        # `scorekit serve --explian` needs the spelling of the flag first.
        for each in self._argv:
            if each == "--":
                break
            flag = each.partition("=")[0]
            if flag.startswith("--") and not any(known.startswith(flag) for known in self._option_string_actions):
                return self.unknown_flag(flag)
        missing = message.removeprefix(_REQUIRED)
        return self.no_command() if missing == "COMMAND" else self.when_missing or f"{missing} is missing"

    def unknown_flag(self, flag: str) -> str:
        """The message about a flag that this parser does not have."""
        known = [name for name, action in self._option_string_actions.items() if action.help != argparse.SUPPRESS]
        return f"unknown flag: {flag}" + suggestion(flag, known)

    def unknown_command(self, command: str) -> str:
        """The message about a subcommand that this parser does not have, without a suggestion."""
        return f"unknown command: {command}"

    def no_command(self) -> str:
        """The message about a missing subcommand."""
        commands = [name for action in self._actions if _has_commands(action) for name in action.choices or ()]
        return f"a command is missing: one of {', '.join(commands)}"

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """argparse's check of ``choices``, with a suggestion."""
        if action.choices is None or value in action.choices:
            return
        choices = [str(choice) for choice in action.choices]
        if _has_commands(action):
            self.error(self.unknown_command(value) + suggestion(value, choices))
        name = action.option_strings[-1] if action.option_strings else action.metavar or action.dest
        self.error(f"{name} is {value!r}; it must be one of {', '.join(choices)}{suggestion(str(value), choices)}")


def suggestion(word: str, known: Iterable[str]) -> str:
    """`` (did you mean X?)`` for the known word that is spelt most alike; empty where none is close."""
    from difflib import get_close_matches  # needed only once something is wrong

    names = {name.lstrip("-"): name for name in known}  # the dashes that all flags share make them no more alike
    close = get_close_matches(word.lstrip("-"), names, n=1)
    return f" (did you mean {names[close[0]]}?)" if close else ""


def _has_commands(action: argparse.Action) -> bool:
    return isinstance(action, argparse._SubParsersAction)  # argparse has no public name for it
