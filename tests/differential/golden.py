"""Golden files: valid JSON with one line per case, and how they were made."""

import json
import math
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "golden"


def _plain(value: Any) -> Any:
    """Returns floats that JSON does not have as ``{"$float": "nan"}``."""
    if isinstance(value, float) and not math.isfinite(value):
        return {"$float": str(value)}
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _meant(value: dict[str, Any]) -> Any:
    return float(value["$float"]) if value.keys() == {"$float"} else value


def write(name: str, made: dict[str, Any], answers: dict[str, Any]) -> None:
    lines = [f"{json.dumps(key)}: {json.dumps(_plain(answer), sort_keys=True)}" for key, answer in answers.items()]
    text = f'{{\n"made": {json.dumps(made)},\n"cases": {{\n' + ",\n".join(lines) + "\n}\n}\n"
    (FOLDER / name).write_text(text, encoding="ascii")


def read(name: str) -> dict[str, Any]:
    """Returns the recorded answers by the id of their case."""
    answers: dict[str, Any] = json.loads((FOLDER / name).read_text(encoding="ascii"), object_hook=_meant)["cases"]
    return answers
