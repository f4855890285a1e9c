"""What ``ks component list`` shows of each component (ksonnet-rules.md#commands)."""

from ...errors import RenderError
from ...manifests.documents import documents
from .components import ComponentFile, all_modules
from .tree import Tree


def summaries(tree: Tree, module: str = "") -> list[list[str]]:
    """Name, type, apiVersion, kind and metadata.name of every component, or of one module's; by name.

    Nothing is evaluated, so the last three are known for YAML and JSON only, of their first document.
    """
    modules = [found for found in all_modules(tree) if module in ("", found.name)]
    if module and not modules:
        raise RenderError(f'unable to find module "{module}"')
    return sorted(_row(tree, component) for found in modules for component in found.components(tree))


def _row(tree: Tree, component: ComponentFile) -> list[str]:
    extension = component.path.rpartition(".")[2]
    if component.kind == "jsonnet":
        return [component.name, extension, "", "", ""]
    found = documents(tree.read(component.path) or "", component.path)
    value = found[0] if found and isinstance(found[0], dict) else {}
    metadata = value.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    shown = (value.get("apiVersion"), value.get("kind"), name)
    return [component.name, extension, *("" if part is None else str(part) for part in shown)]
