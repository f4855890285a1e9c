"""A Dockerfile with the steps of `s2i build` for a component: pure text, from values that are checked first.

No shell reads any of it: every command is a JSON list, every value of the environment is quoted against expansion, and
names and paths must match an allow-list.

The image has two stages. The first installs the packages and the component, and knows where packages come from, perhaps
with a password in the URL. The second copies the results only, so nothing of that stays in a layer of the image.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import SetupError

BUILDER = "scorekit/seldon-s2i-python3"
"""The builder image, without its version."""

INDEX_VARIABLES = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", "EXTRA_INDEX_URL")
"""Variables that say where packages come from; they may contain passwords, and must not be in an image."""

PACKAGE_FILES = ("requirements.txt", "setup.py", "pyproject.toml")
"""Files that name a component's packages; the first one that exists is used, as by the stock builder."""

_UPLOADS = "/tmp/src"  # noqa: S108  where s2i puts what it uploads
_OWNER = "8888:0"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PATH = re.compile(r"(?![./-])[A-Za-z0-9._/-]+")
_IMAGE = re.compile(r"[a-z0-9][a-z0-9._/:-]*(?:@sha256:[0-9a-f]{64})?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class DockerfileRecipe:
    """What a Dockerfile is made from.

    ``packages`` are the files that name all packages of the component, if there are such files: then the packages get a
    layer of their own, which is reused while only the model changes. ``secret`` is whether pip.conf may be given as a
    build secret, which needs BuildKit or podman.
    """

    builder: str
    environment: Mapping[str, str]
    packages: Sequence[str] = ()
    secret: bool = True


def dockerfile(recipe: DockerfileRecipe) -> str:
    """Return the Dockerfile. Raises ``SetupError`` if a value cannot be written into it safely."""
    image = checked_image(recipe.builder)
    mount = "--mount=type=secret,id=pip.conf,uid=8888,mode=0400 " if recipe.secret else ""
    inside = {name: value for name, value in recipe.environment.items() if name not in INDEX_VARIABLES}
    build = {name: value for name, value in recipe.environment.items() if name in INDEX_VARIABLES}
    lines = [
        f"FROM {image} AS build",
        "# Where pip's packages come from. The image is made by the second stage, so none of this stays in it.",
        *(f"ARG {name}" + (f"={quoted(build[name], name)}" if name in build else "") for name in INDEX_VARIABLES),
    ]
    if recipe.packages:
        files = [checked_path(each) for each in recipe.packages]
        for folder in dict.fromkeys(each.rpartition("/")[0] for each in files):
            within = [each for each in files if each.rpartition("/")[0] == folder]
            target = f"{_UPLOADS}/{folder}/" if folder else f"{_UPLOADS}/"
            lines.append(f"COPY --chown={_OWNER} {json.dumps([*within, target])}")
        lines.append(f'RUN {mount}["/s2i/bin/assemble", "--packages"]')
    # All variables are in one instruction, because without BuildKit every instruction runs a container.
    pairs = [f"{checked_variable(name)}={quoted(value, name)}" for name, value in inside.items()]
    variables = ["ENV " + " \\\n    ".join(pairs)] if pairs else []
    lines += [
        f'COPY --chown={_OWNER} [".", "{_UPLOADS}/"]',
        *variables,
        f'RUN {mount}["/s2i/bin/assemble", "--stage"]',
        "",
        f"FROM {image}",
        'RUN ["chmod", "0555", "/opt/component", "/microservice"]',
        *(f'COPY --from=build --chown=0:0 ["{each}", "{each}"]' for each in ("/opt/component", "/microservice")),
        *variables,
        'CMD ["/s2i/bin/run"]',
    ]
    return "\n".join(lines) + "\n"


def quoted(value: str, name: str) -> str:
    """Return a value of ENV or ARG, quoted so that nothing in it is expanded or ends the line.

    Raises ``SetupError`` if it has a character that cannot be printed; ``name`` is its variable.
    """
    if not value.isprintable():
        raise SetupError(f"the value of {name} has a character that cannot be printed")
    return '"' + re.sub(r'(["\\$])', r"\\\1", value) + '"'


def checked_variable(name: str) -> str:
    """Return the name of a variable. Raises ``SetupError`` if it is not one."""
    if not _VARIABLE.fullmatch(name):
        raise SetupError(f"{name!r} in .s2i/environment is not a valid variable: use letters, digits and _")
    return name


def checked_path(path: str) -> str:
    """Return a path below the component's folder. Raises ``SetupError`` if it is not one."""
    if not _PATH.fullmatch(path) or ".." in path.split("/"):
        raise SetupError(f"{path!r} cannot be copied: use a path below the folder, of letters, digits and . _ -")
    return path


def checked_image(name: str) -> str:
    """Return the name of an image. Raises ``SetupError`` if it is not one."""
    if not _IMAGE.fullmatch(name):
        raise SetupError(f"{name!r} is not the name of an image, such as {BUILDER}:1.0")
    return name


_OPTION = re.compile(r"(?:-r|--requirement|-c|--constraint)[ =]+(\S+)")


def named_files(text: str) -> list[str] | None:
    """Return the other requirements and constraints files that a requirements file with this text includes.

    Returns ``None`` if it names anything else in the component's folder, such as a wheel, or might do so. Then the
    packages cannot be installed before the folder is copied.
    """
    files = []
    for raw in text.replace("\\\n", " ").splitlines():
        line = re.sub(r"(^|\s)#.*", "", raw).strip()
        if match := _OPTION.fullmatch(line):
            if not _PATH.fullmatch(match[1]) or ".." in match[1].split("/"):
                return None
            files.append(match[1])
        elif line and not _is_plain(line):
            return None
    return files


def _is_plain(line: str) -> bool:
    """Return whether a line names a package of an index, or is an option about indexes."""
    if line.startswith("-"):
        return line.split()[0].partition("=")[0] in _INDEX_OPTIONS
    name = re.match(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*(?:[<>=!~;@]|--hash|$)", line)
    return name is not None and not name[1].endswith((".whl", ".zip", ".gz")) and "file:" not in line


_INDEX_OPTIONS = frozenset(
    {
        *("-i", "--index-url", "--extra-index-url", "--no-index", "--trusted-host", "--pre", "--prefer-binary"),
        *("--only-binary", "--no-binary", "--require-hashes"),
    }
)
