"""The command ``scorekit``; ``cli.ks`` is the command ``ks``. They alone read argv and the environment.

Each command is a module with ``add(commands)``: its parser, and the function that runs. This room may import all
others, and a command imports what it needs when it runs, so that ``scorekit serve`` starts without the ksonnet half and
without the tester. Begin with ``parser``, then ``serve`` and ``serve_flags``.
"""

import argparse
import errno
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from .. import __version__
from ..errors import ScorekitError
from .extras import missing_extra
from .parser import CommandParser
from .streams import open_missing_streams

__all__ = ["COMMANDS", "main", "make_parser"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the ``scorekit`` command and return its exit status: 1 after an error, which is one line on stderr.

    Raises ``SystemExit`` with 2 for a command line that cannot be parsed, and with 0 after ``--help``.
    """
    open_missing_streams()
    words = sys.argv[1:] if argv is None else argv
    # A start of `scorekit serve` spends nothing on the other commands: their flags cost 15 ms to declare.
    parser = make_parser(words[:1] if words[:1] and words[0] in COMMANDS else COMMANDS)
    arguments = parser.parse(words)
    command: Callable[[argparse.Namespace], int] | None = getattr(arguments, "command", None)
    if command is None:
        parser.print_help()
        return 0
    try:
        status = command(arguments)
        sys.stdout.flush()  # a reader that has gone is noticed here, not in the interpreter's exit
        return status
    except ScorekitError as error:
        print(f"scorekit: {error}", file=sys.stderr)
        return 1
    except ImportError as error:
        if (sentence := missing_extra(error)) is None:
            raise
        print(f"scorekit: {sentence}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # `scorekit serve --explain DIR | head` closes the pipe early. Flushing at exit would fail once more, with a
        # traceback; without a stdout the interpreter flushes nothing.
        sys.stdout = None
        return 1
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        print("scorekit: the output cannot be written: no space left", file=sys.stderr)
        sys.stdout = None
        return 1


COMMANDS = ("init", "serve", "check", "test", "contract", "up", "dockerfile", "microservice")
"""The commands, in the order of the help. Each is a module of this room."""


def make_parser(commands: Sequence[str] = COMMANDS) -> CommandParser:
    """The parser of ``scorekit`` and of ``commands``. What a command needs is imported when it runs."""
    parser = CommandParser(
        prog="scorekit",
        description="Serve, test and deploy a Python model as a Seldon Core v1 component. The command `ks` deploys it "
        "with ksonnet.",
        examples=("scorekit init wine-model", "scorekit serve --help"),
    )
    parser.add_argument("--version", action="version", version=f"scorekit {__version__}")
    subparsers = parser.commands(required=False)
    for command in commands:
        import_module(f".{command}", __name__).add(subparsers)
    return parser
