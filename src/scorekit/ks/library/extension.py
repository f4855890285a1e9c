"""``k.libsonnet``: the library with functions over the containers of a workload, and lists (ksonnet §A.1)."""

from collections.abc import Mapping

from .names import identifier
from .swagger import Definition, Description

_POD_SPEC = "io.k8s.api.core.v1.PodSpec"
_HEAD = """local k8s = import 'k8s.libsonnet';
local fn = {
  mapContainers(f):: {
    local podContainers = super.spec.template.spec.containers,
    spec+: {
      template+: {
        spec+: {
          containers: std.map(f, podContainers),
        },
      },
    },
  },
  mapContainersWithName(names, f)::
    local nameSet = if std.type(names) == 'array' then std.set(names) else std.set([names]);
    local inNameSet(name) = std.length(std.setInter(nameSet, std.set([name]))) > 0;

    self.mapContainers(function(c) if std.objectHas(c, 'name') && inNameSet(c.name) then f(c) else c),
};

k8s + {
"""
_LIST = """      list:: {
        new(items):: {
          apiVersion: 'v1',
        } + {
          kind: 'List',
        } + self.items(items),
        items(items):: if std.type(items) == 'array' then { items+: items } else { items+: [items] },
      },
"""
_MAPPING = """      {kind}:: k8s.{group}.{version}.{kind} + {{
        mapContainers(f):: fn.mapContainers(f),
        mapContainersWithName(names, f):: fn.mapContainersWithName(names, f),
      }},
"""


def extension(description: Description) -> str:
    """The text of ``k.libsonnet``."""
    found: dict[str, dict[str, dict[str, str]]] = {"core": {"v1": {"list": _LIST}}}
    holders = _holders(description.definitions)
    for definition in description.definitions.values():
        if definition.served is None or definition.served[2].endswith("List") or definition.identifier not in holders:
            continue
        group, version, kind = definition.served
        # Of `rbac.authorization.k8s.io` the library has the first word.
        group, kind = group.split(".")[0] or "core", identifier(kind)
        text = _MAPPING.format(group=group, version=version, kind=kind)
        found.setdefault(group, {}).setdefault(version, {})[kind] = text
    return _HEAD + "".join(_group(*each) for each in sorted(found.items())) + "}"


def _group(group: str, versions: Mapping[str, Mapping[str, str]]) -> str:
    inner = "".join(
        f"    {version}:: k8s.{group}.{version} + {{\n{''.join(text for _, text in sorted(kinds.items()))}    }},\n"
        for version, kinds in sorted(versions.items())
    )
    return f"  {group}:: k8s.{group} + {{\n{inner}  }},\n"


def _holders(definitions: Mapping[str, Definition]) -> set[str]:
    """The definitions with a pod's specification somewhere within, along fields that hold one thing."""
    above: dict[str, set[str]] = {}
    for definition in definitions.values():
        for field in definition.fields:
            if field.ref:
                above.setdefault(field.ref, set()).add(definition.identifier)
    found: set[str] = set()
    open_ = [_POD_SPEC]
    while open_:
        for name in above.get(open_.pop(), set()) - found:
            found.add(name)
            open_.append(name)
    return found
