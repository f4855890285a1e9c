"""Modules and their components (ksonnet-rules.md#components)."""

import posixpath
import re
from dataclasses import dataclass
from typing import Literal

from ...errors import RenderError
from .app import Environment
from .tree import Tree

ROOT = "components"
PARAMS_FILE = "params.libsonnet"

# .yml and .libsonnet files are not components.
_KINDS: dict[str, Literal["jsonnet", "yaml"]] = {".jsonnet": "jsonnet", ".yaml": "yaml", ".json": "yaml"}
_MODULE = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")


@dataclass(frozen=True, slots=True)
class AppModule:
    """A folder under ``components/`` with a ``params.libsonnet``. The root module is named ``/``."""

    name: str

    @property
    def prefix(self) -> str:
        """What the names of its components begin with: ``module.``, or nothing in the root module."""
        return "" if self.name == "/" else self.name + "."

    @property
    def folder(self) -> str:
        """Its folder in the app."""
        return ROOT if self.name == "/" else f"{ROOT}/{self.name.replace('.', '/')}"

    @property
    def params_path(self) -> str:
        """The file of its parameters."""
        return f"{self.folder}/{PARAMS_FILE}"

    def components(self, tree: Tree) -> list["ComponentFile"]:
        """Its components, sorted by file name. Raises ``RenderError`` if two files have the same component's name."""
        components: dict[str, ComponentFile] = {}
        for file in tree.names(self.folder) or []:
            key, extension = posixpath.splitext(file)
            if extension not in _KINDS:
                continue
            component = ComponentFile(self, key, f"{self.folder}/{file}", _KINDS[extension])
            if key in components:
                paths = f"{components[key].path} and {component.path}"
                raise RenderError(f"{paths} are the same component: rename one", f'component "{component.name}"')
            components[key] = component
        return list(components.values())


@dataclass(frozen=True, slots=True)
class ComponentFile:
    """A component; ``key`` is its name without the module (``web`` for ``apps.web``)."""

    module: AppModule
    key: str
    path: str
    kind: Literal["jsonnet", "yaml"]

    @property
    def name(self) -> str:
        """Its full name, with the module."""
        return self.module.prefix + self.key

    def where(self, place: str = "") -> str:
        """Its name in messages; ``place`` is ``:line`` or ``:line:column``."""
        return f'component "{self.name}" ({self.path}{place})'


def rendered_modules(tree: Tree, environment: Environment) -> list[AppModule]:
    """The modules that an environment targets, sorted by folder (ksonnet-rules.md#components).

    Without targets this is the root module alone. Raises ``RenderError`` if a module does not exist.
    """
    modules = {name: find_module(tree, name) for name in environment.targets or ("/",)}
    return sorted(modules.values(), key=lambda module: module.folder)


def all_modules(tree: Tree) -> list[AppModule]:
    """Every module of the app, rendered or not, sorted by name."""
    modules: list[AppModule] = []
    folders = [ROOT]
    while folders:
        folder = folders.pop()
        names = tree.names(folder) or []
        folders += [f"{folder}/{name.rstrip('/')}" for name in names if name.endswith("/")]
        if PARAMS_FILE in names:
            modules.append(AppModule(folder.removeprefix(ROOT).strip("/").replace("/", ".") or "/"))
    return sorted(modules, key=lambda module: module.name)


def find_module(tree: Tree, name: str) -> AppModule:
    """The module of that name. Raises ``RenderError`` if it does not exist."""
    module = AppModule(name)
    if (name != "/" and not _MODULE.fullmatch(name)) or tree.names(module.folder) is None:
        raise RenderError(f'target "{name}" is not valid: there is no folder {module.folder}')
    if tree.read(module.params_path) is None:
        shown = "root module" if name == "/" else f'module "{name}"'
        raise RenderError(f"unable to find {shown}: {module.params_path} is missing")
    return module
