"""The rows of ``ks component list`` (ksonnet-rules.md#commands)."""

from ...errors import RenderError
from ...manifests.documents import documents
from .components import ComponentFile, all_modules
from .tree import Tree


def component_rows(tree: Tree, module: str = "") -> list[list[str]]:
    """Name, type, apiVersion, kind and metadata.name of every component, or of one module's; sorted by name.

    Nothing is evaluated. So the last three are empty for jsonnet, and for a manifest they are those of its first
    document. An object without a name is shown with its ``generateName``, where the original shows nothing. Raises
    ``RenderError`` if the module does not exist or a manifest is not YAML.
    """
    modules = [each for each in all_modules(tree) if module in ("", each.name)]
    if module and not modules:
        raise RenderError(f'unable to find module "{module}"')
    return sorted(_row(tree, component) for each in modules for component in each.components(tree))


def _row(tree: Tree, component: ComponentFile) -> list[str]:
    extension = component.path.rpartition(".")[2]
    if component.kind == "jsonnet":
        return [component.name, extension, "", "", ""]
    values = documents(tree.read(component.path) or "", component.path)
    first = values[0] if values and isinstance(values[0], dict) else {}
    metadata = first.get("metadata")
    name = (metadata.get("name") or metadata.get("generateName")) if isinstance(metadata, dict) else None
    cells = (first.get("apiVersion"), first.get("kind"), name)
    return [component.name, extension, *("" if cell is None else str(cell) for cell in cells)]
