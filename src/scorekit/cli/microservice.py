"""``scorekit microservice``: the stock wrapper's command line, word for word (seldon-core 1.17.1)."""

import argparse
import logging
import os
import sys
from pathlib import Path

from ..settings import LOG_LEVELS, SERVICE_TYPES
from .parser import Commands
from .serve import INERT, start

_NUMBERS = (
    *("http-port", "grpc-port", "metrics-port", "grpc-workers", "workers"),
    *("max-requests", "max-requests-jitter"),
)
_UNKNOWN = 255


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "microservice",
        help="serve a component with seldon-core-microservice's own arguments",
        description="Serve a component with the arguments and variables of seldon-core-microservice 1.17.1. "
        "The class is looked for in the current folder. `scorekit serve` says more.",
    )
    parser.add_argument("interface_name", metavar="INTERFACE_NAME", help="Module, or package.module.Class")
    parser.add_argument("--service-type", choices=SERVICE_TYPES, help="(MODEL)")
    parser.add_argument("--parameters", help="constructor parameters (PREDICTIVE_UNIT_PARAMETERS; [])")
    parser.add_argument("--log-level", choices=LOG_LEVELS, help="SELDON_LOG_LEVEL wins (INFO)")
    for name in _NUMBERS:
        parser.add_argument(f"--{name}")
    for name in (*INERT, "access-log"):
        parser.add_argument(f"--{name}", nargs="?", const="1", help=argparse.SUPPRESS)
    parser.set_defaults(command=microservice, surplus=[])  # what no argument above takes is put there


def microservice(arguments: argparse.Namespace) -> int:
    """Run the server until it is told to stop; 255 for arguments that the stock command does not know, as there."""
    if arguments.surplus:
        logging.basicConfig(stream=sys.stderr, format="%(levelname)s %(message)s")
        logging.getLogger(__name__).error(
            "Unknown args %s. Note since 1.5.0 this CLI does not take API type (REST, GRPC)", arguments.surplus
        )
        return _UNKNOWN
    given = {name: value for name, value in vars(arguments).items() if isinstance(value, str)}
    environ = {**os.environ, "MODEL_NAME": given.pop("interface_name")}
    if environ.get("SELDON_LOG_LEVEL"):
        given.pop("log_level", None)
    return start(Path.cwd(), environ, given)
