"""What ``scorekit serve --explain`` prints: every limit in force, where it comes from, and why it has this value."""

from collections.abc import Mapping
from dataclasses import dataclass

from . import limits
from .read import all_settings, read_settings, source


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedLimit:
    """One limit or timeout in force, in words."""

    name: str
    value: str
    unit: str
    source: str
    """The flag, variable or annotation that sets it; or that it is the default, or fixed."""
    precedent: str
    """Why it has this value, and what other servers use."""


@dataclass(frozen=True, slots=True)
class FixedLimit:
    """A limit, its unit, and where its value comes from."""

    value: int
    unit: str
    precedent: str


FIXED: dict[str, FixedLimit] = {
    "max_head_bytes": FixedLimit(limits.MAX_HEAD_BYTES, "bytes", "nginx: 32 kB; Envoy: 60 kB"),
    "max_http2_streams": FixedLimit(limits.MAX_STREAMS, "streams", "of one connection; nginx: 128"),
    "max_http2_bytes": FixedLimit(
        limits.MAX_HELD_BYTES, "bytes", "of one connection, requests and answers each: sixteen messages of 4 MB"
    ),
    "max_http2_resets": FixedLimit(limits.MAX_RESETS_PER_S, "streams/s", "the rapid reset attack, CVE-2023-44487"),
    "max_http2_idle": FixedLimit(
        limits.MAX_IDLE_PER_S, "frames/s", "that ask for nothing: PING, SETTINGS and the like"
    ),
    "max_json_depth": FixedLimit(limits.MAX_JSON_DEPTH, "levels", "of jsonData and meta; protobuf: 100"),
    "max_json_containers": FixedLimit(
        limits.MAX_JSON_CONTAINERS, "lists", "measured: 60 bytes and more for each, for two of the text"
    ),
    "max_proto_fields": FixedLimit(limits.MAX_PROTO_FIELDS, "fields", "measured: a tenth of a second"),
    "max_form_parts": FixedLimit(limits.MAX_PARTS, "parts", "Django, Werkzeug: 1000"),
}
"""The limits that are not settings."""


def explained(
    environ: Mapping[str, str], flags: Mapping[str, str], annotations: Mapping[str, str] | None = None
) -> list[ExplainedLimit]:
    """Return every limit and timeout in force, first those that are settings.

    Raises ``SetupError`` as :func:`~scorekit.settings.read.read_settings` does.
    """
    settings = read_settings(environ, flags, annotations)
    rows = []
    for each in all_settings():
        if not each.unit:
            continue
        value = getattr(getattr(settings, each.group), each.field)
        given = source(each, environ, flags, annotations or {})
        rows.append(
            ExplainedLimit(
                name=each.name,
                value="by the CPU quota" if value is None else str(value),
                unit=each.unit,
                source=given[0].removeprefix("the annotation ") if given else f"default ({each.variable})",
                precedent=each.precedent,
            )
        )
    for name, fixed in FIXED.items():
        rows.append(
            ExplainedLimit(
                name=name, value=str(fixed.value), unit=fixed.unit, source="fixed", precedent=fixed.precedent
            )
        )
    return rows
