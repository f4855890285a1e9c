"""The packages that only some commands need, and the extra of scorekit that each comes with."""

_EXTRAS = {
    "yaml": ("PyYAML", "ks"),
    "_gojsonnet": ("gojsonnet", "ks"),
    "urllib3": ("urllib3", "ks"),
    "hypothesis": ("hypothesis", "test"),
    "grpc": ("grpcio", "test"),
}


def missing_extra(error: ImportError) -> str | None:
    """A sentence that says which extra to install; None if ``error`` is about another package.

    It names a checkout, because no package index is known to have scorekit: a name that anybody may register must not
    be recommended.
    """
    known = _EXTRAS.get((error.name or "").partition(".")[0])
    if known is None:
        return None
    package, extra = known
    return f"this command needs the package {package}: pip install '.[{extra}]' in a checkout of scorekit"
