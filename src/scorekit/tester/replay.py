"""A case in a file, to be tried again."""

import json
from dataclasses import dataclass
from typing import Any

from ..errors import SetupError
from .law import Case
from .laws import BY_NAME


@dataclass(frozen=True, slots=True)
class Replay:
    """A saved case: the law that it broke, and the method that it was tried on."""

    law: str
    case: Case
    endpoint: str = "predict"

    def text(self) -> str:
        """The text of a file that :func:`parse_replay` reads."""
        return json.dumps({"law": self.law, "endpoint": self.endpoint, **case_values(self.case)}, indent=1) + "\n"


def parse_replay(text: str, file: str) -> Replay:
    """The case in the text of a replay file. ``file`` is the name to use in errors.

    Raises ``SetupError`` if the text is not a case, or names a law that there is not.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SetupError(f"{file} cannot be replayed: it is not JSON: {error}") from error
    law = value.get("law") if isinstance(value, dict) else None
    if law not in BY_NAME:
        raise SetupError(f"{file} cannot be replayed: it names the law {law!r}, which does not exist")
    rows = value.get("rows")
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise SetupError(f"{file} cannot be replayed: rows must be a list of lists")
    defaults = {"form": "ndarray", "raw": "", "label": "", "kind": ""}
    texts = {key: str(value.get(key, default)) for key, default in defaults.items()}
    return Replay(law, Case(rows=tuple(rows), **texts), str(value.get("endpoint", "predict")))


def case_values(case: Case) -> dict[str, Any]:
    """A case as JSON values."""
    values = {"rows": [list(row) for row in case.rows], "form": case.form, "raw": case.raw}
    return {**values, "label": case.label, "kind": case.kind}
