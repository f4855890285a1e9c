"""``scorekit microservice``: the command line of the stock wrapper, ``seldon-core-microservice`` (seldon-core 1.17.1).

Old images and scripts call it, so it takes the same arguments, and refuses the same ones in the same words and with the
same status. One rule differs from ours: ``SELDON_LOG_LEVEL`` wins over ``--log-level``, because it does there.
"""

import argparse
import logging
import os
import sys
from pathlib import Path

from ..settings.names import LOG_LEVELS, SERVICE_TYPES
from .parser import Commands
from .serve import start
from .serve_flags import INERT

_NUMBERS = {
    "http-port": "the main port (default: 9000)",
    "grpc-port": "a second port (default: 5000)",
    "metrics-port": "metrics for Prometheus (default: 6000)",
    "grpc-workers": "0 leaves the second port closed (default: 1)",
    "workers": "processes that serve (default: one for each whole CPU of the container's limit)",
    "max-requests": "replace a worker after so many requests; 0 for never (default: 0)",
    "max-requests-jitter": "add a random number up to this to --max-requests (default: 0)",
}
_UNKNOWN = 255


def add(commands: Commands) -> None:
    """Add the command to ``commands``."""
    parser = commands.add_parser(
        "microservice",
        help="serve a component with the arguments of seldon-core-microservice",
        usage="scorekit microservice [FLAGS] INTERFACE_NAME",
        description="Serve a component of the current folder with the arguments and variables of "
        "seldon-core-microservice 1.17.1. `scorekit serve --help` explains the flags.",
        examples=("scorekit microservice MLModel --service-type MODEL --http-port 9000",),
        when_missing="which class? Name its module: `scorekit microservice MLModel`",
    )
    parser.add_argument("interface_name", metavar="INTERFACE_NAME", help="Module, or package.module.Class")
    parser.add_argument(
        "--service-type", choices=SERVICE_TYPES, metavar="TYPE", help=f"{', '.join(SERVICE_TYPES)} (default: MODEL)"
    )
    parser.add_argument(
        "--parameters", metavar="JSON", help="arguments for the class (default: none; PREDICTIVE_UNIT_PARAMETERS)"
    )
    parser.add_argument(
        "--log-level",
        choices=LOG_LEVELS,
        metavar="LEVEL",
        help=f"{', '.join(LOG_LEVELS)}; the variable wins (default: INFO; SELDON_LOG_LEVEL)",
    )
    for name, about in _NUMBERS.items():
        parser.add_argument(f"--{name}", metavar="N", help=about)
    for name in (*INERT, "access-log"):
        parser.add_argument(f"--{name}", nargs="?", const="1", help=argparse.SUPPRESS)
    parser.set_defaults(command=microservice, surplus=[])  # unknown arguments: see CommandParser.parse


def microservice(arguments: argparse.Namespace) -> int:
    """Run the server until a signal stops it. Returns 255 for unknown arguments, as the stock command does."""
    if arguments.surplus:
        logging.basicConfig(stream=sys.stderr, format="%(levelname)s %(message)s")
        logging.getLogger(__name__).error(
            "Unknown args %s. Note since 1.5.0 this CLI does not take API type (REST, GRPC)", arguments.surplus
        )
        return _UNKNOWN
    given = {name: value for name, value in vars(arguments).items() if isinstance(value, str)}
    name = given.pop("interface_name")
    if os.environ.get("SELDON_LOG_LEVEL"):
        given.pop("log_level", None)
    return start(lambda: (Path.cwd(), {**os.environ, "MODEL_NAME": name}), given)
