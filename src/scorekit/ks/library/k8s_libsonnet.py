"""``k8s.libsonnet``: constructors and setters for every kind of Kubernetes, as ksonnet-gen wrote them.

::

    {
      apps:: { v1:: {                                       kinds that a server accepts
        local apiVersion = { apiVersion: 'apps/v1' },
        deployment:: {
          local kind = { kind: 'Deployment' },
          new(name='', …):: apiVersion + kind + …,          constructors.py
          withX(x):: self + { x: x },                       a plain field
          withXMixin(x):: self + { x+: x },                 an array or an object: add instead of replace
          mixin:: { spec:: { withReplicas(replicas):: … } },  the fields of an object in a field
          specType:: hidden.apps.v1.deploymentSpec,         the type of a field
        },
      } },
      local hidden = { … },                                 the parts of kinds, by the same rules
    }

All members are hidden (``::``), so only what was set appears in an object. The text for Kubernetes 1.8.0 has to be
ksonnet-gen's byte for byte, because apps rely on its names and its oddities. A test compares a digest of it with that
of ksonnet-gen's own output (docs/design/0013), so a change here that seems harmless can still be an error.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping

from ...errors import RenderError
from .constructors import constructors
from .k_libsonnet import k_libsonnet
from .names import field_key, identifier, parse_name, plain, title
from .swagger import ApiDescription, Definition, DefinitionField, describe

_Groups = dict[str, dict[str, list[Definition]]]


def generate_library(swagger: str, where: str = "swagger") -> dict[str, str]:
    """The files of ``lib/ksonnet-lib/<version>/`` by name, from the text of a ``swagger.json``.

    Raises ``RenderError``, with ``where``, if it is not an OpenAPI 2.0 description of a version of Kubernetes.
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
    return {"k.libsonnet": k_libsonnet(description), "k8s.libsonnet": k8s_libsonnet(description, checksum)}


def k8s_libsonnet(description: ApiDescription, checksum: str) -> str:
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
    """Definitions by group and version, sorted: those that can be sent to a server, or all others."""
    groups: _Groups = {}
    for definition in description.definitions.values():
        name = parse_name(definition.identifier)
        if name is None or (definition.served is not None) != is_served:
            continue
        version = definition.served[1] if definition.served else name.version
        if version:
            groups.setdefault(name.group, {}).setdefault(version, []).append(definition)
    return {group: dict(sorted(versions.items())) for group, versions in sorted(groups.items())}


def version_lines(
    description: ApiDescription, group: str, version: str, members: Iterable[Definition]
) -> Iterator[str]:
    """The lines of one version of a group, without the braces around it."""
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
    name = parse_name(definition.identifier)
    assert name is not None  # noqa: S101  describe() has only definitions with such a name
    kind = definition.served[2] if definition.served else name.kind
    if definition.served:
        yield f"local kind = {{ kind: '{kind}' }},"
    for line in constructors(name.codebase, name.group, kind, definition.served is not None):
        yield line + ","
    defined: set[str] = set()
    mixins: list[str] = []
    for field in definition.fields:
        if field.shape == "reference":
            mixins += _reference(description.definitions, field, "", (definition.identifier,))
        else:
            yield from _literal(field, "", defined)
    if mixins:
        yield "mixin:: {"
        yield from _indented(mixins, 1)
        yield "},"
    else:
        yield "mixin:: {},"


def _literal(field: DefinitionField, parent: str, defined: set[str]) -> Iterator[str]:
    """The functions that set ``field``, inside of the mixin ``parent`` if there is one."""
    argument = identifier(field.name)
    for suffix, sugar in (("", ""), ("Mixin", "+")):
        if suffix and field.shape == "item":
            continue
        function = f"with{title(argument)}{suffix}"
        if function in defined:
            continue
        defined.add(function)

        def put(value: str, sugar: str = sugar) -> str:
            inner = f"{{ {field_key(field.name)}{sugar}: {value} }}"
            return f"{parent}({inner})" if parent else inner

        if field.shape == "array":
            value = f"if std.type({argument}) == 'array' then {put(argument)} else {put(f'[{argument}]')}"
        else:
            value = put(argument)
        yield from _comment(field.description)
        yield f"{function}({argument}):: self + {value},"
    yield from _alias(field, defined)


def _reference(
    definitions: Mapping[str, Definition],
    field: DefinitionField,
    parent: str,
    above: tuple[str, ...],
    defined: set[str] | None = None,
) -> Iterator[str]:
    """The mixin of a field that holds an object, with the functions of that object's fields."""
    argument = identifier(field.name)
    own = f"__{argument}Mixin"
    inner = f"{{ {field_key(argument)}+: {argument} }}"
    yield from _comment(field.description)
    yield f"{argument}:: {{"
    yield f"  local {own}({argument}) = {f'{parent}({inner})' if parent else inner},"
    yield f"  mixinInstance({argument}):: {own}({argument}),"
    target = definitions.get(field.ref)
    below: set[str] = set()
    # A definition that contains itself ends here.
    for each in target.fields if target and field.ref not in above else ():
        if each.shape == "reference":
            yield from _indented(_reference(definitions, each, own, (*above, field.ref), below), 1)
        else:
            yield from _indented(_literal(each, own, below), 1)
    yield "},"
    yield from _alias(field, defined if defined is not None else set())


def _alias(field: DefinitionField, defined: set[str]) -> Iterator[str]:
    """``<field>Type``: the type of the value of a field."""
    name = parse_name(field.ref) if field.ref else None
    alias = f"{plain(field.name)}Type"
    if name is not None and name.version and alias not in defined:
        defined.add(alias)
        yield f"{alias}:: hidden.{name.group}.{name.version}.{identifier(name.kind)},"


def _comment(text: str) -> Iterator[str]:
    for line in text.split("\n") if text else ():
        yield f"// {line.strip()}" if line else "//"


def _indented(lines: Iterable[str], depth: int) -> Iterator[str]:
    return ("  " * depth + line for line in lines)
