"""From a description of Kubernetes to ``k8s.libsonnet``, as ksonnet-gen wrote it, and ``k.libsonnet``."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping

from ...errors import RenderError
from .constructors import constructors
from .k_libsonnet import extension
from .names import identifier, key, parse, plain, title
from .swagger import ApiDescription, Definition, DefinitionField, describe

_Groups = dict[str, dict[str, list[Definition]]]


def generate_library(swagger: str, where: str = "swagger") -> dict[str, str]:
    """The files of ``lib/ksonnet-lib/<version>/`` for the text of a ``swagger.json``, by name.

    Raises ``RenderError``, naming ``where``, for what is no OpenAPI 2.0 description of a version of Kubernetes.
    """
    try:
        value = json.loads(swagger)
    except ValueError as error:
        raise RenderError(f"not JSON: {error}", where) from error
    if not isinstance(value, dict):
        raise RenderError("an object was expected", where)
    try:
        description = describe(value)
    except RenderError as error:
        raise RenderError(str(error), where) from error
    checksum = hashlib.sha256(swagger.encode()).hexdigest()
    return {"k.libsonnet": extension(description), "k8s.libsonnet": whole(description, checksum)}


def whole(description: ApiDescription, checksum: str) -> str:
    """The text of ``k8s.libsonnet``."""
    lines = [
        "{",
        "  __ksonnet: {",
        f"    checksum: '{checksum}',",
        f"    kubernetesVersion: '{description.version}',",
        "  },",
        *_groups(description, grouped(description, True), 1),
        "  local hidden = {",
        *_groups(description, grouped(description, False), 2),
        "  },",
        "}",
    ]
    return "\n".join(lines)


def grouped(description: ApiDescription, is_served: bool) -> _Groups:
    """Definitions by group and version: those that can be sent to a server, or all others."""
    found: _Groups = {}
    for definition in description.definitions.values():
        name = parse(definition.identifier)
        if name is None or (definition.served is not None) != is_served:
            continue
        version = definition.served[1] if definition.served else name.version
        if version:
            found.setdefault(name.group, {}).setdefault(version, []).append(definition)
    return {group: dict(sorted(versions.items())) for group, versions in sorted(found.items())}


def version_lines(
    description: ApiDescription, group: str, version: str, members: Iterable[Definition]
) -> Iterator[str]:
    """One version of a group, without the braces around it."""
    members = list(members)
    api = members[0].served[0] if members[0].served else group
    yield f"local apiVersion = {{ apiVersion: '{version if api in ('core', '') else f'{api}/{version}'}' }},"
    for definition in sorted(members, key=_kind):
        yield from _comment(definition.description)
        yield f"{_kind(definition)}:: {{"
        yield from _indented(_object(description, definition), 1)
        yield "},"


def _groups(description: ApiDescription, groups: _Groups, depth: int) -> Iterator[str]:
    for group, versions in groups.items():
        yield f"{'  ' * depth}{group}:: {{"
        for version, members in versions.items():
            yield f"{'  ' * depth}  {version}:: {{"
            yield from _indented(version_lines(description, group, version, members), depth + 2)
            yield f"{'  ' * depth}  }},"
        yield f"{'  ' * depth}}},"


def _kind(definition: Definition) -> str:
    return identifier(definition.served[2] if definition.served else definition.identifier.rpartition(".")[2])


def _object(description: ApiDescription, definition: Definition) -> Iterator[str]:
    name = parse(definition.identifier)
    assert name is not None  # noqa: S101  describe() leaves the others out
    kind = definition.served[2] if definition.served else name.kind
    if definition.served:
        yield f"local kind = {{ kind: '{kind}' }},"
    for line in constructors(name.codebase, name.group, kind, definition.served is not None):
        yield line + ","
    seen: set[str] = set()
    mixins: list[str] = []
    for field in definition.fields:
        if field.shape == "reference":
            mixins += _reference(description.definitions, field, "", (definition.identifier,))
        else:
            yield from _literal(field, "", seen)
    if mixins:
        yield "mixin:: {"
        yield from _indented(mixins, 1)
        yield "},"
    else:
        yield "mixin:: {},"


def _literal(field: DefinitionField, parent: str, seen: set[str]) -> Iterator[str]:
    """The functions that set ``field``, within the mixin ``parent`` where there is one."""
    argument = identifier(field.name)
    for suffix, sugar in (("", ""), ("Mixin", "+")):
        if suffix and field.shape == "item":
            continue
        function = f"with{title(argument)}{suffix}"
        if function in seen:
            continue
        seen.add(function)

        def put(value: str, sugar: str = sugar) -> str:
            inner = f"{{ {key(field.name)}{sugar}: {value} }}"
            return f"{parent}({inner})" if parent else inner

        if field.shape == "array":
            value = f"if std.type({argument}) == 'array' then {put(argument)} else {put(f'[{argument}]')}"
        else:
            value = put(argument)
        yield from _comment(field.description)
        yield f"{function}({argument}):: self + {value},"
    yield from _alias(field, seen)


def _reference(
    definitions: Mapping[str, Definition],
    field: DefinitionField,
    parent: str,
    above: tuple[str, ...],
    seen: set[str] | None = None,
) -> Iterator[str]:
    """A mixin of its own for what ``field`` holds."""
    argument = identifier(field.name)
    own = f"__{argument}Mixin"
    inner = f"{{ {key(argument)}+: {argument} }}"
    yield from _comment(field.description)
    yield f"{argument}:: {{"
    yield f"  local {own}({argument}) = {f'{parent}({inner})' if parent else inner},"
    yield f"  mixinInstance({argument}):: {own}({argument}),"
    target = definitions.get(field.ref)
    below: set[str] = set()
    # What contains itself ends here.
    for each in target.fields if target and field.ref not in above else ():
        if each.shape == "reference":
            yield from _indented(_reference(definitions, each, own, (*above, field.ref), below), 1)
        else:
            yield from _indented(_literal(each, own, below), 1)
    yield "},"
    yield from _alias(field, seen if seen is not None else set())


def _alias(field: DefinitionField, seen: set[str]) -> Iterator[str]:
    """What a field holds, by the name of the field."""
    name = parse(field.ref) if field.ref else None
    alias = f"{plain(field.name)}Type"
    if name is not None and name.version and alias not in seen:
        seen.add(alias)
        yield f"{alias}:: hidden.{name.group}.{name.version}.{identifier(name.kind)},"


def _comment(text: str) -> Iterator[str]:
    for line in text.split("\n") if text else ():
        yield f"// {line.strip()}" if line else "//"


def _indented(lines: Iterable[str], depth: int) -> Iterator[str]:
    return ("  " * depth + line for line in lines)
