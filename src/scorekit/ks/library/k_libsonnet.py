"""``k.libsonnet``: ``k8s.libsonnet`` with lists and functions over containers (ksonnet-rules.md#library)."""

from collections.abc import Mapping

from .names import identifier
from .swagger import ApiDescription, Definition

_POD_SPEC = "io.k8s.api.core.v1.PodSpec"
_HEAD = """// k8s.libsonnet, and besides: lists, and functions over the containers of a kind with a pod's template.
local k8s = import 'k8s.libsonnet';

local several(value) = if std.type(value) == 'array' then value else [value];
local containers = {
  mapContainers(f):: {
    spec+: { template+: { spec+: { containers: [f(each) for each in super.containers] } } },
  },
  mapContainersWithName(names, f)::
    local isNamed(each) = std.objectHas(each, 'name') && std.count(several(names), each.name) > 0;
    containers.mapContainers(function(each) if isNamed(each) then f(each) else each),
};

k8s + {
"""
_LIST = """      list:: {
        new(items):: { apiVersion: 'v1', kind: 'List' } + self.items(items),
        items(items):: { items+: several(items) },
      },
"""
_MAPPING = "      {kind}+:: containers,\n"


def k_libsonnet(description: ApiDescription) -> str:
    """The text of ``k.libsonnet``."""
    additions: dict[str, dict[str, dict[str, str]]] = {"core": {"v1": {"list": _LIST}}}
    holders = _holders(description.definitions)
    for definition in description.definitions.values():
        if definition.served is None or definition.served[2].endswith("List") or definition.identifier not in holders:
            continue
        group, version, kind = definition.served
        # The library names a group by its first word: `rbac` for `rbac.authorization.k8s.io`.
        group, kind = group.split(".")[0] or "core", identifier(kind)
        additions.setdefault(group, {}).setdefault(version, {})[kind] = _MAPPING.format(kind=kind)
    return _HEAD + "".join(_group(*each) for each in sorted(additions.items())) + "}\n"


def _group(group: str, versions: Mapping[str, Mapping[str, str]]) -> str:
    inner = "".join(
        f"    {version}+:: {{\n{''.join(text for _, text in sorted(kinds.items()))}    }},\n"
        for version, kinds in sorted(versions.items())
    )
    return f"  {group}+:: {{\n{inner}  }},\n"


def _holders(definitions: Mapping[str, Definition]) -> set[str]:
    """The definitions that contain a pod's specification, directly or in a field of a field."""
    above: dict[str, set[str]] = {}
    for definition in definitions.values():
        for field in definition.fields:
            if field.ref:
                above.setdefault(field.ref, set()).add(definition.identifier)
    holders: set[str] = set()
    unvisited = [_POD_SPEC]
    while unvisited:
        for name in above.get(unvisited.pop(), set()) - holders:
            holders.add(name)
            unvisited.append(name)
    return holders
