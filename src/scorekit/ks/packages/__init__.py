"""Packages of prototypes and libraries: where they come from, and how they get into ``vendor/`` of an app.

This room may import ``ks.app`` and ``manifests``; whatever asks the network is in ``ks.io``. Begin with ``registries``,
the kinds of registries and their client interface; ``vendor`` installs, ``package_reference`` parses what a person
types.
"""

from .folder_registry import FolderRegistry
from .package_reference import PackageReference, parse_reference
from .registries import Catalogue, GitHubFolder, Registry, RegistryClient, add_registry, registries, set_uri
from .vendor import install, pinned, pins, remove

__all__ = [
    "Catalogue",
    "FolderRegistry",
    "GitHubFolder",
    "PackageReference",
    "Registry",
    "RegistryClient",
    "add_registry",
    "install",
    "parse_reference",
    "pinned",
    "pins",
    "registries",
    "remove",
    "set_uri",
]
