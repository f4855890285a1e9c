"""``scorekit contract``: a sample request of a contract, and a contract inferred from a table."""

import argparse
import csv
import json
import shlex
from pathlib import Path

from ..contract import read_contract
from ..contract.infer import infer_contract
from ..errors import SetupError
from .parser import Commands


def add(commands: Commands) -> None:
    """Add the command and its subcommands to ``commands``."""
    parser = commands.add_parser(
        "contract",
        help="print a sample request of a contract, or make a contract from a table",
        description="Work with contract.json, which describes a model's features and targets.",
        examples=("scorekit contract sample wine-model/contract.json",),
    )
    verbs = parser.commands()
    sample = verbs.add_parser(
        "sample",
        help="print a request that a contract allows, and a curl command that sends it",
        description="Print a request body that a contract allows, and a curl command that sends it.",
        examples=("scorekit contract sample wine-model/contract.json --rows 2",),
        when_missing="which contract? Name its file: `scorekit contract sample DIR/contract.json`",
    )
    sample.add_argument("contract", metavar="CONTRACT", help="the contract's file")
    sample.add_argument(
        "--url", default="http://localhost:9000", help="the server in the curl command (default: http://localhost:9000)"
    )
    sample.add_argument("-n", "--rows", type=int, default=1, help="rows in the request (default: 1)")
    sample.set_defaults(command=_sample)
    infer = verbs.add_parser(
        "infer",
        help="print a contract that describes a CSV file",
        description="Print a contract that describes the columns of a CSV file: columns of numbers with their range, "
        "other columns with their categories. The file needs a header.",
        examples=("scorekit contract infer wine.csv --target quality --skip id > contract.json",),
        when_missing="which data? Name a CSV file: `scorekit contract infer DATA.csv`",
    )
    infer.add_argument("data", metavar="DATA.csv", help="a CSV file in UTF-8, with a header")
    for flag, about in (
        ("--target", "a column that the model predicts; repeatable (default: the last column)"),
        ("--categorical", "a column whose numbers are categories; repeatable"),
        ("--skip", "a column to leave out; repeatable"),
    ):
        infer.add_argument(flag, metavar="COLUMN", action="append", default=[], help=about)
    infer.set_defaults(command=_infer)


def _sample(arguments: argparse.Namespace) -> int:
    from ..tester.clients import RestClient, parse_address
    from ..tester.payloads import body

    contract = read_contract(arguments.contract)
    if arguments.rows < 1:
        raise SetupError(f"--rows is {arguments.rows}; it must be a whole number from 1")
    rows = [contract.sample_row()] * arguments.rows
    text = json.dumps(body(contract, rows, "tensor" if contract.numeric else "ndarray"))
    print(text)
    address = RestClient(parse_address(arguments.url)).where()
    print(f"\ncurl {shlex.quote(address)} -H 'Content-Type: application/json' -d {shlex.quote(text)}")
    return 0


def _infer(arguments: argparse.Namespace) -> int:
    try:
        with Path(arguments.data).open(encoding="utf-8-sig", newline="") as file:
            header, *rows = [row for row in csv.reader(file) if row] or [[]]
    except (OSError, ValueError, csv.Error) as error:
        raise SetupError(f"{arguments.data} cannot be read as CSV: {error}") from error
    if missing := [name for name in arguments.skip if name not in header]:
        raise SetupError(f"--skip: there is no column {missing[0]!r}; there are {', '.join(header)}")
    kept = [at for at, name in enumerate(header) if name not in arguments.skip]
    if any(len(row) == len(header) for row in rows):
        rows = [[row[at] for at in kept] if len(row) == len(header) else row for row in rows]
    contract = infer_contract([header[at] for at in kept], rows, arguments.target, arguments.categorical)
    print(json.dumps(contract, indent=2, ensure_ascii=False))
    return 0
