"""What `s2i build` does with a component, written as a Dockerfile: pure text, from values that are checked first.

Nothing in it is read by a shell: every command is a JSON list, every value of the environment is quoted against
expansion, and names and paths are taken from an allow-list or refused.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import SetupError

BUILDER = "scorekit/seldon-s2i-python3"
"""The builder image, without its version."""

INDEX_VARIABLES = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", "EXTRA_INDEX_URL")
"""Where packages come from: an affair of the build, and nothing that an image should tell."""

PACKAGE_FILES = ("requirements.txt", "setup.py", "pyproject.toml")
"""What names a component's packages; the first that is there counts, as for the stock builder."""

_UPLOADS = "/tmp/src"  # noqa: S108  where s2i puts what it uploads
_OWNER = "8888:0"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PATH = re.compile(r"(?![./-])[A-Za-z0-9._/-]+")
_IMAGE = re.compile(r"[a-z0-9][a-z0-9._/:-]*(?:@sha256:[0-9a-f]{64})?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Recipe:
    """What the Dockerfile is made from.

    ``packages``: the files that name the component's packages, where they name them whole, so that a layer of packages
    can be kept while the model changes. ``secret``: whether a pip.conf may come as a build secret, which needs
    BuildKit or podman.
    """

    builder: str
    environment: Mapping[str, str]
    packages: Sequence[str] = ()
    secret: bool = True


def dockerfile(recipe: Recipe) -> str:
    """The text. Raises ``SetupError`` for a value that cannot be written into it safely."""
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
    # One instruction: without BuildKit each takes a container of its own.
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
    """A value of ENV or ARG that stands for itself: no expansion, no end of line."""
    if not value.isprintable():
        raise SetupError(f"the value of {name} has a character that cannot be printed")
    return '"' + re.sub(r'(["\\$])', r"\\\1", value) + '"'


def checked_variable(name: str) -> str:
    if not _VARIABLE.fullmatch(name):
        raise SetupError(f"{name!r} in .s2i/environment cannot be a variable: take letters, digits and _")
    return name


def checked_path(path: str) -> str:
    """A path below the component's folder."""
    if not _PATH.fullmatch(path) or ".." in path.split("/"):
        raise SetupError(f"{path!r} cannot be copied: take letters, digits and . _ - in a name below the folder")
    return path


def checked_image(name: str) -> str:
    if not _IMAGE.fullmatch(name):
        raise SetupError(f"{name!r} is no name of an image, as {BUILDER}:1.0")
    return name


_OPTION = re.compile(r"(?:-r|--requirement|-c|--constraint)[ =]+(\S+)")


def named_files(text: str) -> list[str] | None:
    """The other requirement and constraint files that the requirements in ``text`` name.

    ``None`` where something else of the folder is named, or anything that cannot be told to be none of it.
    """
    found = []
    for raw in text.replace("\\\n", " ").splitlines():
        line = re.sub(r"(^|\s)#.*", "", raw).strip()
        if match := _OPTION.fullmatch(line):
            if not _PATH.fullmatch(match[1]) or ".." in match[1].split("/"):
                return None
            found.append(match[1])
        elif line and not _is_plain(line):
            return None
    return found


def _is_plain(line: str) -> bool:
    """Whether a line names a package of an index, or an option about where one is."""
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
