"""Log lines in the form of logrus, the logger of ksonnet."""

import json
import re
import sys

# What logrus writes without quotes (text_formatter.go, needsQuoting).
_UNQUOTED = re.compile(r"[A-Za-z0-9\-._/@^+]+")


def log(level: str, message: str, **fields: str) -> None:
    """Write one line to stderr: ``level=info msg="…" component-name=web``. A ``_`` in a field's name becomes ``-``."""
    pairs = "".join(f" {name.replace('_', '-')}={_quoted(value)}" for name, value in sorted(fields.items()))
    print(f"level={level} msg={_quoted(message)}{pairs}", file=sys.stderr)


def _quoted(text: str) -> str:
    return text if _UNQUOTED.fullmatch(text) else json.dumps(text, ensure_ascii=False)
