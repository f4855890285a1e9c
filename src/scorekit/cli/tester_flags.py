"""The flags of ``scorekit test``, in the groups of its help."""

from .parser import CommandParser

PHASES = ("examples", "boundaries", "random", "negative", "feedback")
"""The phases of a test, in their order; as in ``tester.session``, which is imported only when a test runs."""


def add_flags(parser: CommandParser) -> None:
    """Add the arguments and flags of ``scorekit test`` to ``parser``, group by group."""
    _add_what_to_test(parser)
    _add_requests(parser)
    _add_connection(parser)
    _add_reports(parser)


def _add_what_to_test(parser: CommandParser) -> None:
    group = parser.add_argument_group("what to test")
    group.add_argument("contract", metavar="CONTRACT", help="the contract's file, such as DIR/contract.json")
    group.add_argument(
        "urls",
        metavar="URL",
        nargs="+",
        help="http://HOST:PORT, https://HOST, grpc://HOST:PORT, a gateway's http://HOST:PORT/seldon/NAME, or HOST PORT",
    )
    group.add_argument(
        "--endpoint",
        choices=("predict", "send-feedback", "transform-input"),
        default="predict",
        help="the method to call (default: predict)",
    )
    group.add_argument("--replay", metavar="FILE", help="try one saved case again, and nothing else")


def _add_requests(parser: CommandParser) -> None:
    group = parser.add_argument_group("requests")
    group.add_argument("--phases", metavar="NAMES", help=f"any of {','.join(PHASES)}, between commas (default: all)")
    group.add_argument(
        "-n",
        "--n-requests",
        "--max-examples",
        metavar="N",
        type=int,
        help="random requests for each law (default: 50; with HOST PORT: 1)",
    )
    group.add_argument(
        "-b",
        "--batch-size",
        metavar="ROWS",
        type=int,
        help="rows of a random request (default: 1 to 6; with HOST PORT: 1)",
    )
    group.add_argument("-t", "--tensor", action="store_true", help="send random requests as tensors only")
    group.add_argument(
        "--seed", metavar="N", type=int, default=0, help="the same seed draws the same random requests (default: 0)"
    )
    group.add_argument(
        "--strict", action="store_true", help="require a refusal of every request that breaks the contract"
    )


def _add_connection(parser: CommandParser) -> None:
    group = parser.add_argument_group("connection")
    group.add_argument("--grpc", action="store_true", help="call the server over gRPC (needs scorekit[test])")
    group.add_argument("--grpc-port", type=int, metavar="PORT", help="the port for gRPC (default: the URL's port)")
    group.add_argument(
        "--timeout", metavar="S", type=float, default=10, help="seconds to wait for one answer (default: 10)"
    )
    group.add_argument("--cacert", metavar="FILE", help="certificates to trust (PEM) (default: the system's)")
    group.add_argument(
        "--api-key-file", metavar="FILE", help="send the key in the file's first line with every request, as X-API-Key"
    )


def _add_reports(parser: CommandParser) -> None:
    group = parser.add_argument_group("reports")
    group.add_argument("-p", "--prnt", action="store_true", help="print each request and its answer")
    group.add_argument("--json", metavar="FILE", help="write a report in JSON; - for standard output")
    group.add_argument("--junit", metavar="FILE", help="write a report in JUnit's XML")
    group.add_argument(
        "--cases",
        metavar="DIR",
        default="scorekit-cases",
        help="folder for the cases that broke a law, for --replay (default: scorekit-cases)",
    )
    levels = ("DEBUG", "INFO", "ERROR")
    group.add_argument(
        "--log-level", choices=levels, default="ERROR", metavar="LEVEL", help=f"{', '.join(levels)} (default: ERROR)"
    )
