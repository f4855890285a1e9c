"""``scorekit init``: a component folder, from templates, to put a model into."""

import argparse
import keyword
import re
import shlex
import sys
from importlib import resources
from pathlib import Path
from string import Template

from ..errors import SetupError
from .parser import Commands

_FILES = {
    "{name}.py": "Model_{how}",
    "train.py": "train_{how}",
    "contract.json": "contract",
    "requirements.txt": "requirements_{how}",
    ".s2i/environment": "environment",
    "test_model.py": "check",
    "README.md": "readme_{how}",
}
"""The files of a new folder, and the template of each."""

# The folder comes first on the import path, so a class's module must not have the name of a module that is needed. Some
# file systems ignore case, so the comparison does too.
_TAKEN = {each.casefold() for each in sys.stdlib_module_names} | {
    *("train", "test_model", "contract", "numpy", "scipy", "sklearn", "joblib", "pytest", "scorekit", "seldon_core"),
}


def add(commands: Commands) -> None:
    """Add the command to ``commands``."""
    parser = commands.add_parser(
        "init",
        help="write a component folder to put your model in",
        description="Write a component folder around a small scikit-learn model: a class, its training, contract, "
        "requirements, environment and a test. Replace the model with your own.",
        examples=("scorekit init wine-model", "scorekit init forest --name Forest --model-file joblib"),
        when_missing="which folder? Name a new one: `scorekit init DIR`",
    )
    parser.add_argument("directory", metavar="DIR", type=Path, help="the folder; it must be new or empty")
    parser.add_argument("--name", help="the name of the class and of its module (default: made from the folder's name)")
    parser.add_argument(
        "--model-file",
        choices=("npz", "joblib"),
        default="npz",
        help="npz: the model is saved as plain arrays; joblib: as a pickle, which suits any scikit-learn model, but "
        "loading it runs code (default: npz)",
    )
    parser.add_argument("--force", action="store_true", help="write into a folder with files, and overwrite them")
    parser.set_defaults(command=init)


def init(arguments: argparse.Namespace) -> int:
    """Write the folder, and print the next two commands.

    Raises ``SetupError`` if the folder is not empty or cannot be written, or if the class cannot have this name.
    """
    directory: Path = arguments.directory
    name = class_name(arguments.name, directory)
    try:
        _write(directory, rendered(name, arguments.model_file), arguments.force)
    except OSError as error:
        raise SetupError(f"{error.filename or directory} cannot be written: {error.strerror}") from error
    shown = shlex.quote(str(directory))
    print(f"{directory} has the class {name} in {name}.py. Next:")
    print(f"  python {shlex.quote(str(directory / 'train.py'))}\n  scorekit serve {shown}")
    return 0


def class_name(given: str | None, directory: Path) -> str:
    """The name of the class: ``given``, or made from the folder's.

    Raises ``SetupError`` if that is not the name of a class, or would hide a module.
    """
    if given is None:
        words = re.split(r"[\W_]+", directory.resolve().name)
        name = "".join(word[:1].upper() + word[1:] for word in words)
        remedy = f"the folder's name gives {name!r}: choose one, for example --name Model"
    else:
        name, remedy = given, f"--name is {given!r}: choose one like WineModel"
    if not name.isascii() or not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
        raise SetupError(f"the class needs a name of letters and digits that starts with a letter; {remedy}")
    if name.casefold() in _TAKEN:
        raise SetupError(f"{name}.py would hide the module {name.casefold()} from Python's imports; {remedy}")
    return name


def rendered(name: str, how: str) -> dict[str, str]:
    """The texts of the files by path, for the class ``name`` and a model file in the format ``how``."""
    folder = resources.files("scorekit") / "templates"
    return {
        path.format(name=name): Template(
            (folder / f"{template.format(how=how)}.tmpl").read_text(encoding="utf-8")
        ).substitute(name=name)
        for path, template in _FILES.items()
    }


def _write(directory: Path, files: dict[str, str], force: bool) -> None:
    if directory.exists() and not directory.is_dir():
        raise SetupError(f"{directory} is a file; name a folder")
    if not force and directory.is_dir() and any(directory.iterdir()):
        raise SetupError(f"{directory} is not empty; name a new folder, or use --force to overwrite its files")
    for path, text in files.items():
        file = directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
