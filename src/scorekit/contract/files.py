"""The one place that reads ``contract.json`` from disk, for the server, the tester and every command."""

import logging
from pathlib import Path

from .columns import Contract
from .parsing import ContractError, parse_contract

log = logging.getLogger(__name__)

USUAL = "contract.json"
"""The name of a contract that lies in a component's folder."""


def read_contract(file: Path | str, *, remedy: str = "") -> Contract:
    """The contract in ``file``. ``remedy`` says in an error what to do if the file cannot be read.

    Raises ``ContractError`` if the file cannot be read or is not a contract; it names the file, and line and place if
    they are known.
    """
    try:
        text = Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = (isinstance(error, OSError) and error.strerror) or error
        advice = f"; {remedy}" if remedy else ""
        raise ContractError(f"the contract {file} cannot be read: {why}{advice}", file=str(file)) from error
    return parse_contract(text, str(file))


def configured_contract(name: str, directory: Path | None) -> Contract | None:
    """The contract that the setting ``contract`` names, relative to ``directory`` or the current folder.

    ``None`` if ``name`` is empty. Raises ``ContractError`` as :func:`read_contract` does.
    """
    file = (directory or Path.cwd()) / name
    return read_contract(file, remedy="--contract '' serves without one") if name else None


def usual_contract(directory: Path | None) -> Contract | None:
    """The ``contract.json`` in ``directory``; ``None`` if there is none.

    It only describes the model, so one that cannot be used is logged and counts as none.
    """
    file = (directory or Path.cwd()) / USUAL
    if not file.is_file():
        return None
    try:
        return read_contract(file)
    except ContractError as error:
        log.warning("contract.unreadable cause=%s", error)
        return None
