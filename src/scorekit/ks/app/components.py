"""Modules and the components in them (ksonnet-rules.md#components)."""

import posixpath
import re
from dataclasses import dataclass
from typing import Literal

from ...errors import RenderError
from ..libsonnet.tokens import KEYWORDS
from .app import Environment
from .tree import Tree

ROOT = "components"
PARAMS_FILE = "params.libsonnet"

# .yml and .libsonnet files are not components.
_KINDS: dict[str, Literal["jsonnet", "yaml"]] = {".jsonnet": "jsonnet", ".yaml": "yaml", ".json": "yaml"}
# ksonnet puts names in quotes that have a digit in them, though jsonnet would not ask for it.
_BARE = re.compile(r"[A-Za-z_]+")
_MODULE = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")


def is_bare(name: str) -> bool:
    """Whether ksonnet writes a component's name without quotes."""
    return _BARE.fullmatch(name) is not None and name not in KEYWORDS


@dataclass(frozen=True, slots=True)
class ComponentFile:
    """``name`` carries its module (``apps.web``); ``key`` does not (``web``)."""

    name: str
    key: str
    path: str
    kind: Literal["jsonnet", "yaml"]

    def where(self, place: str = "") -> str:
        """How errors name it; ``place`` is ``:line`` or ``:line:column``."""
        return f'component "{self.name}" ({self.path}{place})'


@dataclass(frozen=True, slots=True)
class AppModule:
    """A folder under ``components/`` that holds a ``params.libsonnet``; the root is named ``/``."""

    name: str

    @property
    def prefix(self) -> str:
        return "" if self.name == "/" else self.name + "."

    @property
    def folder(self) -> str:
        return ROOT if self.name == "/" else f"{ROOT}/{self.name.replace('.', '/')}"

    @property
    def params_path(self) -> str:
        return f"{self.folder}/{PARAMS_FILE}"

    def components(self, tree: Tree) -> list[ComponentFile]:
        """Sorted by file name; two files of one name are an error."""
        found: dict[str, ComponentFile] = {}
        for file in tree.names(self.folder) or []:
            key, extension = posixpath.splitext(file)
            if extension not in _KINDS:
                continue
            path = f"{self.folder}/{file}"
            name = self.prefix + key
            if name in found:
                raise RenderError(f"{found[name].path} and {path} are one component: rename one", f'component "{name}"')
            found[name] = ComponentFile(name, key, path, _KINDS[extension])
        return list(found.values())


def rendered_modules(tree: Tree, environment: Environment) -> list[AppModule]:
    """The modules that an environment targets, sorted by folder (ksonnet-rules.md#components).

    Without targets this is the root module alone. Raises ``RenderError`` if a module does not exist.
    """
    modules = {name: find_module(tree, name) for name in environment.targets or ("/",)}
    return sorted(modules.values(), key=lambda module: module.folder)


def all_modules(tree: Tree) -> list[AppModule]:
    """Every module of the app, targeted or not, sorted by name."""
    found: list[AppModule] = []
    folders = [ROOT]
    while folders:
        folder = folders.pop()
        names = tree.names(folder) or []
        folders += [f"{folder}/{name.rstrip('/')}" for name in names if name.endswith("/")]
        if PARAMS_FILE in names:
            found.append(AppModule(folder.removeprefix(ROOT).strip("/").replace("/", ".") or "/"))
    return sorted(found, key=lambda module: module.name)


def find_module(tree: Tree, name: str) -> AppModule:
    """The module of that name. Raises ``RenderError`` where there is none."""
    module = AppModule(name)
    if (name != "/" and not _MODULE.fullmatch(name)) or tree.names(module.folder) is None:
        raise RenderError(f'target "{name}" is not valid: there is no folder {module.folder}')
    if tree.read(module.params_path) is None:
        shown = "root module" if name == "/" else f'module "{name}"'
        raise RenderError(f"unable to find {shown}: {module.params_path} is missing")
    return module
