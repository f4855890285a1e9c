"""Imports and constructs the user's class, with errors that name the cause, the line and what there is instead."""

import importlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import SetupError
from . import forks
from .component import Component
from .user_errors import USER_FAULT, in_one_sentence


def build(
    model_name: str, directory: Path | None, parameters: Mapping[str, Any], expose_errors: bool = False
) -> Component:
    """Import and construct the component.

    ``model_name`` is ``Module`` (its class of the same name) or ``package.module.Class``, as for the stock wrapper;
    ``directory`` is put on the import path first. Raises ``SetupError``: one sentence that names the cause and the
    line of the user's code where it happened.
    """
    if directory is not None:
        sys.path.insert(0, str(directory))
    module_name, _, class_name = model_name.rpartition(".")
    module_name = module_name or class_name
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name == module_name.split(".")[0]:
            raise SetupError(
                f"there is no module {error.name} for MODEL_NAME={model_name}{_modules(directory, model_name)}"
            ) from error
        raise SetupError(
            f"{module_name} needs the package {error.name!r}, which is not installed: "
            "add its package to requirements.txt, and install it in the environment of scorekit"
        ) from error
    except USER_FAULT as error:
        raise SetupError(f"{module_name} could not be imported: {in_one_sentence(error)}") from error
    factory = getattr(module, class_name, None)
    if not callable(factory):
        own = [name for name, value in vars(module).items() if getattr(value, "__module__", None) == module_name]
        raise SetupError(
            f"the module {module_name} has no class {class_name}; it has: {', '.join(own) or 'none'}"
            f"{_suggestion(class_name, own)}. "
            "MODEL_NAME is Module, whose class has the same name, or Module.Class"
        )
    try:
        return Component(factory(**parameters), model_name, expose_errors)
    except USER_FAULT as error:
        raise SetupError(
            f"{class_name}({', '.join(parameters)}) could not be built: {in_one_sentence(error)}"
        ) from error
    finally:
        forks.end_if_forked()


def _modules(directory: Path | None, model_name: str) -> str:
    if directory is None:
        return ""
    names = sorted(path.stem for path in directory.glob("*.py") if path.stem.isidentifier())
    return f"; {directory} has: {', '.join(names[:10]) or 'no Python files'}{_suggestion(model_name, names)}"


def _suggestion(name: str, known: Sequence[str]) -> str:
    """A question, if a known name differs from ``name`` in case only."""
    alike = [each for each in known if each.casefold() == name.casefold()]
    return f"; did you mean {alike[0]}?" if alike else ""
