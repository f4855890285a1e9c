"""The two text files that carry settings: a component's ``.s2i/environment`` and a pod's annotations."""

from ..errors import SetupError


def parse_annotations(text: str) -> dict[str, str]:
    """Return a pod's annotations from the file that the downward API of Kubernetes writes: lines of ``key="value"``.

    Other lines are ignored.
    """
    annotations: dict[str, str] = {}
    for line in text.splitlines():
        key, separator, value = line.partition("=")
        if separator:
            annotations[key.strip()] = value.strip()[1:-1]
    return annotations


def parse_environment_file(text: str, where: str = ".s2i/environment") -> dict[str, str]:
    """Return the ``KEY=value`` lines of an s2i environment file; blank lines and ``#`` comments are ignored.

    Values are data: nothing in them is expanded, executed or unquoted, as in s2i itself.
    Raises ``SetupError`` with ``where`` and the line's number if a line is not of this form.
    """
    values: dict[str, str] = {}
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        key, separator, value = line.partition("=")
        if not separator or not key.strip() or "\0" in line:
            raise SetupError(f"{where}, line {number}: expected KEY=value, got {line!r}")
        values[key.strip()] = value.strip()
    return values
