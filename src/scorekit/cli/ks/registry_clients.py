"""The client of a registry: for GitHub, for a folder, or for a copy in our wheel."""

from typing import TYPE_CHECKING

from ...errors import SetupError

if TYPE_CHECKING:
    from ...ks.io.disk import Directory
    from ...ks.packages.registries import Registry, RegistryClient

_HELM = "helm registries are not supported: render the chart with `helm template` and import it with `ks import`"


def registry_client(tree: "Directory", registry: "Registry") -> "RegistryClient":
    """The client for the protocol of ``registry``. Raises ``SetupError`` if its URI or its protocol is invalid."""
    if registry.protocol == "github":
        from ...ks.io.bundled_registry import bundled_registry
        from ...ks.io.github_registry import from_environment
        from ...ks.packages.registries import github_folder

        try:
            folder = github_folder(registry.uri)
        except SetupError as error:
            raise SetupError(f"adding registry: {error}") from error
        return bundled_registry(folder) or from_environment(folder)
    if registry.protocol == "fs":
        from ...ks.packages.folder_registry import FolderRegistry

        return FolderRegistry(tree, registry.uri)
    if registry.protocol == "helm":
        raise SetupError(f"{registry.name}: {_HELM}")
    raise SetupError(f'invalid registry protocol "{registry.protocol}"')
