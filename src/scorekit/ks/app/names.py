"""Names of environments, components and modules (ksonnet-rules.md#names)."""

import re

from ...errors import SetupError
from ..libsonnet.tokens import KEYWORDS

_INVALID = re.compile(r"""\s|[\\,;':!()?"{}\[\]*&%@$]|^/|/$|^$""")
_UNQUOTED = re.compile(r"[A-Za-z_]+")
_MODULE = re.compile(r"[A-Za-z0-9_-]+(?:[./][A-Za-z0-9_-]+)*")


def is_valid_name(name: str) -> bool:
    """Whether an environment or a component may have this name.

    ``..`` among the parts of a path is refused too: the files have to stay inside their folder.
    """
    return not _INVALID.search(name) and not {"", ".", ".."} & set(name.split("/"))


def is_unquoted(name: str) -> bool:
    """Whether ksonnet writes a component's name without quotes: only letters and ``_``.

    A name with a digit is in quotes, although jsonnet would not need them. New files have to be the same to the byte.
    """
    return _UNQUOTED.fullmatch(name) is not None and name not in KEYWORDS


def module_name(text: str) -> str:
    """The name of a module that a command line gives, with ``/`` or dots between its parts; ``/`` for an empty text.

    Raises ``SetupError`` if it is not valid.
    """
    if text in ("", "/"):
        return "/"
    if not _MODULE.fullmatch(text):
        raise SetupError(
            f'module name "{text}" is not valid; it takes letters, digits, - and _, with dots between folders'
        )
    return text.replace("/", ".")
