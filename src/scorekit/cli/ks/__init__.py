"""The ``ks`` command: ksonnet's command line. Each command, or group of commands, has a module here.

This room may import everything that deploys (``ks``, ``deploy``), but only inside of functions: a command starts
quickly because it loads only what it needs. Begin with ``commands`` (how a command is declared) and ``show`` (the
simplest one). Exit status: 0, 1 after a ``level=error`` line, 10 if ``diff`` finds a difference.
"""

import sys

from ...errors import ScorekitError
from ..extras import missing_extra
from . import (
    apply,
    component,
    delete,
    diff,
    env,
    imports,
    init,
    module,
    param,
    pkg,
    prototype,
    registry,
    show,
    upgrade,
    validate,
    version,
)
from .commands import KsParser
from .logrus import log
from .show import render_app

__all__ = ["main", "render_app"]


def main(argv: list[str] | None = None) -> int:
    """Run a command line, that of the process by default, and return its exit status."""
    try:
        arguments = _parser().parse(argv)
        status: int | None = arguments.run(arguments)
    except ScorekitError as error:
        log("error", str(error))
        return 1
    except ImportError as error:
        if (sentence := missing_extra(error)) is None:
            raise
        log("error", sentence)
        return 1
    except KeyboardInterrupt:
        return 130  # 128 + SIGINT, as a shell reports it
    except BrokenPipeError:
        # `ks show | head`: the reader has gone. The interpreter would flush stdout at exit and fail again, so it gets
        # none, as it does itself for a stdout that is lost.
        sys.stdout = None
        return 1
    return status or 0


def _parser() -> KsParser:
    parser = KsParser(
        prog="ks",
        description="Make, edit, render and deploy ksonnet apps.",
        examples=["ks init my-app --context minikube", "ks show default", "ks apply default --dry-run"],
    )
    commands = parser.commands()
    deploying = (apply, delete, diff, validate)
    editing = (env, param, component, module, imports, pkg, registry, upgrade, version)
    for each in (init, prototype, show, *deploying, *editing):
        each.add(commands)
    return parser
