"""``scorekit dockerfile``: a Dockerfile that builds a component's image without s2i."""

import argparse
from pathlib import Path

from .. import __version__
from ..errors import SetupError
from ..image import BUILDER, PACKAGE_FILES, DockerfileRecipe, dockerfile, named_files
from ..settings import parse_environment_file
from ..settings.names import ENV_MODEL_NAME
from .parser import Commands


def add(commands: Commands) -> None:
    """Add the command to ``commands``."""
    parser = commands.add_parser(
        "dockerfile",
        help="print a Dockerfile that makes a component's image as `s2i build` does",
        description="Print a Dockerfile with the steps of `s2i build`, to build a component's image with docker or "
        "podman.",
        examples=("scorekit dockerfile wine-model | docker build -t wine-model:0.1 -f - wine-model",),
        when_missing="which component? Name its folder: `scorekit dockerfile DIR`",
    )
    parser.add_argument("directory", metavar="DIR", type=Path, help="the component's folder")
    builder = f"{BUILDER}:{__version__}"
    parser.add_argument(
        "--builder", metavar="IMAGE", default=builder, help=f"the image to start from (default: {builder})"
    )
    parser.add_argument(
        "--no-secret",
        action="store_true",
        help="do not take pip.conf as a build secret; for engines without BuildKit",
    )
    parser.set_defaults(command=_print)


def _print(arguments: argparse.Namespace) -> int:
    print(dockerfile(recipe(arguments.directory, arguments.builder, not arguments.no_secret)), end="")
    return 0


def recipe(directory: Path, builder: str, secret: bool = True) -> DockerfileRecipe:
    """What the image of the component in ``directory`` is made of.

    Raises ``SetupError`` for a folder that the builder's own scripts would refuse.
    """
    if not directory.is_dir():
        raise SetupError(f"{directory} is not a folder")
    file = directory / ".s2i" / "environment"
    environment = parse_environment_file(_read(file), str(file)) if file.is_file() else {}
    if not environment.get(ENV_MODEL_NAME):
        raise SetupError(f"which class is the model? Set {ENV_MODEL_NAME} in {file}")
    present = [name for name in PACKAGE_FILES if (directory / name).is_file()]
    if not present and (directory / "environment.yml").is_file():
        raise SetupError(
            "environment.yml needs conda, which the image does not have: list the packages in requirements.txt"
        )
    return DockerfileRecipe(
        builder, environment, _whole(directory, "requirements.txt") or () if present else (), secret
    )


def _whole(directory: Path, name: str) -> list[str] | None:
    """``name`` and every requirements file that it includes; ``None`` if one is missing or needs more than an index.

    Only such files can be installed before the component's own files are copied into the image, and so be cached.
    """
    todo, known = [name], list[str]()
    while todo:
        path = todo.pop(0)
        file = directory / path
        if not file.is_file():
            return None
        named = named_files(_read(file))
        if named is None:
            return None
        known.append(path)
        folder = path.rpartition("/")[0]
        todo += [each for one in named if (each := f"{folder}/{one}" if folder else one) not in [*known, *todo]]
    return known


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"{file} cannot be read: {error}") from error
