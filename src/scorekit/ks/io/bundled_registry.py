"""Registries inside the wheel, for those that are gone from the network (docs/design/0011)."""

from importlib import resources
from importlib.resources.abc import Traversable

from ...errors import SetupError
from ..packages.registries import REGISTRY_FILE, Catalogue, GitHubFolder, read_catalogue

# What the seed adds: deleted upstream in 2019, in every branch.
_NAMES = {("seldonio", "seldon-core", "seldon-core"): "seldon-core"}


class BundledRegistry:
    """Fulfils ``ks.registries.Source`` for a registry in the folder ``root``. There is one version of everything."""

    def __init__(self, root: Traversable) -> None:
        self.root = root

    def validate(self) -> None:
        """It is there."""

    def catalogue(self) -> Catalogue:
        return read_catalogue((self.root / REGISTRY_FILE).read_text(encoding="utf-8"), REGISTRY_FILE)

    def version(self, package: str, ref: str) -> str:
        catalogue = self.catalogue()
        if package not in catalogue.versions:
            raise SetupError(f'there is no package "{package}" here; there are: {", ".join(catalogue.versions)}')
        version = catalogue.versions[package]
        if ref not in ("", "master", version, f"v{version}"):
            raise SetupError(
                f"{package}@{ref} cannot be had: this registry is gone from GitHub; "
                f"scorekit has {package}@{version} in its place"
            )
        return version

    def files(self, package: str, version: str) -> dict[str, bytes]:
        return dict(_walk(self.root / package, ""))


def bundled_registry(folder: GitHubFolder) -> BundledRegistry | None:
    """The registry inside the wheel that stands for a folder of GitHub, if one does."""
    name = _NAMES.get((folder.owner.lower(), folder.repository.lower(), folder.path.lower()))
    return None if name is None else BundledRegistry(resources.files("scorekit") / "builtin" / "registries" / name)


def _walk(folder: Traversable, prefix: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for child in folder.iterdir():
        path = prefix + child.name
        if child.is_dir():
            found += _walk(child, path + "/")
        else:
            found.append((path, child.read_bytes()))
    return found


def stock_prototypes() -> dict[str, str]:
    """ksonnet's own prototypes, which every app has: the text of each, by file."""
    folder = resources.files("scorekit") / "builtin" / "prototypes"
    return {path: content.decode() for path, content in sorted(_walk(folder, ""))}
