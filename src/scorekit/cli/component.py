"""The argument that names a component, and the environment that its folder adds."""

import json
import shlex
import sys
from collections.abc import Mapping
from importlib.machinery import PathFinder
from pathlib import Path

from ..errors import SetupError
from ..settings import parse_environment_file
from ..settings.names import ENV_FROM_FILE, ENV_MODEL_NAME

_PICKLES = (".joblib", ".pkl", ".pickle")


def component_of(argument: str, environ: Mapping[str, str]) -> tuple[Path, dict[str, str]]:
    """The component's folder and the environment in force, from the argument: a folder or a module's name.

    ``.s2i/environment`` of the folder gives way to ``environ``. A worker reads it again, and has inherited
    what the file gave, and must not take it for the operator's own: so ``SCOREKIT_FROM_FILE`` lists the names that came
    from the file, and they are read from there again.

    Raises ``SetupError`` if the argument is neither a folder nor a module, or the folder's file cannot be read.
    """
    inherited = json.loads(environ.get(ENV_FROM_FILE) or "[]")
    environ = {name: value for name, value in environ.items() if name != ENV_FROM_FILE and name not in inherited}
    directory = Path(argument)
    if directory.is_dir():
        own = _own_environment(directory)
        marker = {ENV_FROM_FILE: json.dumps([name for name in own if name not in environ])} if own else {}
        return directory.resolve(), {**own, **environ, **marker}
    if directory.is_file() or not _is_module(argument):
        raise SetupError(_next_step(directory))
    # The stock wrapper imports from the current folder.
    return Path.cwd(), {**environ, ENV_MODEL_NAME: argument}


def _own_environment(directory: Path) -> dict[str, str]:
    file = directory / ".s2i" / "environment"
    try:
        return parse_environment_file(file.read_text(encoding="utf-8"), str(file)) if file.is_file() else {}
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"{file} cannot be read: {error}") from error


def _is_module(name: str) -> bool:
    """Whether there is a module or package of the first part of a dotted name; nothing is imported to find out."""
    top = name.partition(".")[0]
    if not name.replace(".", "").isidentifier():
        return False
    # The current folder is put on the import path later, when the module is imported.
    return PathFinder.find_spec(top, [str(Path.cwd()), *sys.path]) is not None


def _next_step(path: Path) -> str:
    """What is wrong with a ``path`` that is not a component, and what to do instead."""
    if path.suffix == ".py" and path.is_file():
        return f"{path} is a file; name the folder that it is in: {path.parent}"
    if path.is_file() or path.suffix in _PICKLES:
        flag = " --model-file joblib" if path.suffix in _PICKLES else ""
        return (
            f"{path} is not a component. A component is a folder with a class that loads the model; "
            f"`scorekit init DIR{flag}` writes one, to put the file in"
        )
    new = f"`scorekit init {shlex.quote(str(path))}` writes a new component there"
    if str(path).isidentifier():
        return f"there is neither a folder nor a module {path}; {new}"
    if str(path).replace(".", "").isidentifier():
        return f"there is neither a folder nor a module {path}"
    return f"there is no folder {path}; {new}"
