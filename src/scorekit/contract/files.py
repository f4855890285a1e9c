"""The component's contract file: what requests must keep to, and what ``/seldon.json`` tells of them."""

import logging
from pathlib import Path

from ..errors import SetupError
from .columns import Contract, parse_contract

log = logging.getLogger(__name__)

USUAL = "contract.json"


def enforced(file: str, directory: Path | None) -> Contract | None:
    """The contract in ``file``, relative to ``directory``; ``None`` where no file is named. Raises ``SetupError``."""
    return _read((directory or Path.cwd()) / file) if file else None


def described(directory: Path | None) -> Contract | None:
    """The contract that lies in ``directory`` under its usual name, where one does that can be read."""
    file = (directory or Path.cwd()) / USUAL
    if not file.is_file():
        return None
    try:
        return _read(file)
    except SetupError as error:
        log.warning("contract.unreadable cause=%s", error)
        return None


def _read(file: Path) -> Contract:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise SetupError(f"the contract {file} cannot be read: {why}; --contract '' serves without one") from error
    return parse_contract(text, str(file))
