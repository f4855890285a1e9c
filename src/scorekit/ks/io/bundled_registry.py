"""Registries and prototypes in our wheel, for those that are gone from the network (docs/design/0026)."""

from importlib import resources
from importlib.resources.abc import Traversable

from ...errors import SetupError
from ..packages.registries import REGISTRY_FILE, Catalogue, GitHubFolder, read_catalogue

# Seldon Core deleted its ksonnet registry in 2019, in every branch. Apps still add it by this address.
_NAMES = {("seldonio", "seldon-core", "seldon-core"): "seldon-core"}


class BundledRegistry:
    """A ``RegistryClient`` for the registry in the folder ``root``, which has one version of each package."""

    def __init__(self, root: Traversable) -> None:
        self.root = root

    def validate(self) -> None:
        """It exists: it is part of the wheel."""

    def catalogue(self) -> Catalogue:
        """What its ``registry.yaml`` offers."""
        return read_catalogue((self.root / REGISTRY_FILE).read_text(encoding="utf-8"), REGISTRY_FILE)

    def version(self, package: str, ref: str) -> str:
        """The version of the package. Raises ``SetupError`` if there is none, or ``ref`` names another one."""
        catalogue = self.catalogue()
        if package not in catalogue.versions:
            raise SetupError(f'there is no package "{package}" here; there are: {", ".join(catalogue.versions)}')
        version = catalogue.versions[package]
        if ref not in ("", "master", version, f"v{version}"):
            raise SetupError(
                f"{package}@{ref} is not available: this registry was deleted from GitHub; "
                f"scorekit contains {package}@{version} in its place"
            )
        return version

    def files(self, package: str, version: str) -> dict[str, bytes]:
        """The files of the package, by path in it."""
        return dict(_walk(self.root / package, ""))


def bundled_registry(folder: GitHubFolder) -> BundledRegistry | None:
    """The registry in the wheel that replaces a folder of GitHub; None if there is none."""
    name = _NAMES.get((folder.owner.lower(), folder.repository.lower(), folder.path.lower()))
    return None if name is None else BundledRegistry(resources.files("scorekit") / "builtin" / "registries" / name)


def _walk(folder: Traversable, prefix: str) -> list[tuple[str, bytes]]:
    files: list[tuple[str, bytes]] = []
    for child in folder.iterdir():
        path = prefix + child.name
        if child.is_dir():
            files += _walk(child, path + "/")
        else:
            files.append((path, child.read_bytes()))
    return files


def stock_prototypes() -> dict[str, str]:
    """The texts of ksonnet's own prototypes, which every app has, by file."""
    folder = resources.files("scorekit") / "builtin" / "prototypes"
    return {path: content.decode() for path, content in sorted(_walk(folder, ""))}
