"""``scorekit contract``: a sample request of a contract, and a contract of a table."""

import argparse
import csv
import json
import shlex
from pathlib import Path

from ..contract import read_contract
from ..contract.infer import survey
from ..errors import SetupError
from .parser import Commands


def add(commands: Commands) -> None:
    parser = commands.add_parser("contract", help="print a sample request; make a contract from data")
    verbs = parser.commands()
    one = verbs.add_parser("sample", help="print a request body and a ready curl")
    one.add_argument("contract", metavar="CONTRACT")
    one.add_argument("--url", default="http://localhost:9000", help="the server (http://localhost:9000)")
    one.add_argument("-n", "--rows", type=int, default=1, help="rows of the request (1)")
    one.set_defaults(command=_sample)
    two = verbs.add_parser("infer", help="print a contract made from a CSV file")
    two.add_argument("data", metavar="DATA.csv")
    two.add_argument("--target", metavar="COLUMN", action="append", default=[], help="a target (the last column)")
    two.add_argument("--categorical", metavar="COLUMN", action="append", default=[], help="numbers that only name")
    two.add_argument("--skip", metavar="COLUMN", action="append", default=[], help="a column to leave out")
    two.set_defaults(command=_infer)


def _sample(arguments: argparse.Namespace) -> int:
    from ..tester.clients.address import parse
    from ..tester.clients.rest import RestClient
    from ..tester.tables import body

    contract = read_contract(arguments.contract)
    if arguments.rows < 1:
        raise SetupError(f"--rows is {arguments.rows}; it must be a whole number from 1")
    rows = [contract.sample_row()] * arguments.rows
    text = json.dumps(body(contract, rows, "tensor" if contract.numeric else "ndarray"))
    print(text)
    address = RestClient(parse(arguments.url)).where()
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
    contract = survey([header[at] for at in kept], rows, arguments.target, arguments.categorical)
    print(json.dumps(contract, indent=2, ensure_ascii=False))
    return 0
