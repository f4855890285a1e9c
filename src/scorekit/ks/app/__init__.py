"""What an app consists of: ``app.yaml``, environments, modules and components, read through a ``Tree``.

This room may import ``errors``, ``manifests`` and ``ks.libsonnet``. Begin with ``app`` (environments and packages) and
``components`` (modules and components); ``spec_files`` is for code that changes ``app.yaml``, in ``ks.edits``.
"""

from .app import App, Environment, PinnedPackage, UnknownEnvironment, current_environment, load_app
from .components import AppModule, ComponentFile, all_modules, find_module, rendered_modules
from .spec_files import SpecFiles
from .tree import ByteTree, Tree, WritableTree

__all__ = [
    "App",
    "AppModule",
    "ByteTree",
    "ComponentFile",
    "Environment",
    "PinnedPackage",
    "SpecFiles",
    "Tree",
    "UnknownEnvironment",
    "WritableTree",
    "all_modules",
    "current_environment",
    "find_module",
    "load_app",
    "rendered_modules",
]
