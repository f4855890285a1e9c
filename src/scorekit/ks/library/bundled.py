"""The library in our wheel, for apps without ``lib/``: every API of Kubernetes 1.8, 1.15 and 1.31.

The wheel has only the names of kinds and fields (``builtin/kubernetes.json``). The source of ``k8s.libsonnet`` is made
of them when an import asks for it, and in pieces: the file itself has nothing but imports, one for each version of each
group. jsonnet is lazy, so an app that uses ``apps.v1`` pays for ``apps.v1``. An
app that imports all of it as one file (3 MB) takes 0.50 CPU seconds to render, our app 0.14 (docs/design/0025).
"""

import json
from functools import cache
from importlib import resources

from .k8s_libsonnet import grouped, version_lines
from .k_libsonnet import k_libsonnet
from .swagger import ApiDescription, Definition, DefinitionField, Shape

_HERE = "@k8s/"
_HIDDEN = f"{_HERE}hidden.libsonnet"
_SHAPES: dict[str, Shape] = {"i": "item", "a": "array", "o": "object", "r": "reference"}


def packed(description: ApiDescription) -> str:
    """The form in the wheel: each name of a definition once, shapes of fields as letters, one definition on a line."""
    names = sorted({field.ref for each in description.definitions.values() for field in each.fields})
    numbers = {name: number for number, name in enumerate(names)}
    lines = [
        json.dumps(
            [name, each.served, [[field.name, field.shape[0], numbers[field.ref]] for field in each.fields]],
            separators=(",", ":"),
        )
        for name, each in sorted(description.definitions.items())
    ]
    head = json.dumps(names, separators=(",", ":"))
    return (
        f'{{"version":{json.dumps(description.version)},"names":{head},"definitions":[\n' + ",\n".join(lines) + "\n]}\n"
    )


def unpacked(text: str) -> ApiDescription:
    """The description that :func:`packed` got, without the texts that explain fields."""
    value = json.loads(text)
    names = value["names"]
    definitions = {
        name: Definition(
            name,
            tuple(DefinitionField(field, _SHAPES[shape], names[ref]) for field, shape, ref in fields),
            served=tuple(served) if served else None,
        )
        for name, served, fields in value["definitions"]
    }
    return ApiDescription(value["version"], definitions)


def bundled_import(wanted: str) -> tuple[str, str] | None:
    """The path and the text of an imported file; None if it is not a part of the library."""
    if wanted in ("k.libsonnet", "k8s.libsonnet"):
        return _HERE + wanted, _text(wanted)
    if wanted.startswith(_HERE):
        return wanted, _text(wanted.removeprefix(_HERE))
    return None


@cache
def _text(name: str) -> str:
    description = _description()
    if name == "k.libsonnet":
        return k_libsonnet(description)
    if name in ("k8s.libsonnet", "hidden.libsonnet"):
        return _index(description, name == "k8s.libsonnet")
    part, group, version = name.removesuffix(".libsonnet").split("/")
    members = grouped(description, part == "served")[group][version]
    lines = version_lines(description, group, version, members)
    return "\n".join([f'local hidden = import "{_HIDDEN}";', "{", *lines, "}"])


@cache
def _description() -> ApiDescription:
    return unpacked((resources.files("scorekit") / "builtin" / "kubernetes.json").read_text(encoding="utf-8"))


def _index(description: ApiDescription, is_served: bool) -> str:
    part = "served" if is_served else "hidden"
    lines = ["{"]
    for group, versions in grouped(description, is_served).items():
        inner = " ".join(f'{version}:: import "{_HERE}{part}/{group}/{version}.libsonnet",' for version in versions)
        lines.append(f"  {group}:: {{ {inner} }},")
    return "\n".join([*lines, "}"])
