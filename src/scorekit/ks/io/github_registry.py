"""Registries on GitHub, over its REST API: what a ref is, one file, and the files of a folder from one archive."""

import json
import os
import posixpath
import tarfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from typing import IO

from ...errors import SetupError
from ..packages.registries import REGISTRY_FILE, Catalogue, GitHubFolder, read_catalogue

API = "https://api.github.com"

_TIMEOUT_S = 10
_MAX_TEXT = 1 << 20
_MAX_FILE = 8 << 20
_MAX_FILES = 5_000
_MAX_ALL = 64 << 20
_MAX_ARCHIVE = 512 << 20  # unpacked, of the whole repository


class GitHubRegistry:
    """Fulfils ``ks.registries.Source`` for a folder of a repository. ``api`` is GitHub's address, or that of a
    GitHub Enterprise (``https://HOST/api/v3``); the token is sent to it and to nobody else."""

    def __init__(self, folder: GitHubFolder, api: str = API, token: str = "") -> None:
        if urllib.parse.urlsplit(api).scheme not in ("http", "https"):
            raise SetupError(f"KS_GITHUB_API is {api!r}: an address that begins with https:// is needed")
        if not (token.isascii() and token.isprintable()):  # http.client's own error would repeat it
            raise SetupError("GITHUB_TOKEN has a line end or another character in it that no token has")
        self._folder = folder
        self._api = api.rstrip("/")
        self._token = token

    def __repr__(self) -> str:
        return f"GitHubRegistry({self._folder!r}, {self._api!r})"

    def validate(self) -> None:
        try:
            self._registry_file(self._folder.ref)
        except SetupError as error:
            raise SetupError(f"validating registry URL: validating GitHub registry URL: {error}") from error

    def catalogue(self) -> Catalogue:
        version = self._commit(self._folder.ref)
        return read_catalogue(self._registry_file(version), REGISTRY_FILE, version)

    def version(self, package: str, ref: str) -> str:
        return self._commit(ref or self._folder.ref)

    def files(self, package: str, version: str) -> dict[str, bytes]:
        root = posixpath.join(self._folder.path, package)
        with self._ask(f"tarball/{urllib.parse.quote(version)}", "application/vnd.github+json") as answer:
            try:
                found = dict(unpacked(answer, root, package))
            except (tarfile.TarError, EOFError, OSError) as error:
                raise SetupError(f"{self._name}: the archive is broken: {error}") from error
        if not found:
            raise SetupError(f"{self._name}@{version} has no folder {root}")
        return found

    @property
    def _name(self) -> str:
        return f"github.com/{self._folder.owner}/{self._folder.repository}"

    def _commit(self, ref: str) -> str:
        with self._ask(f"commits/{urllib.parse.quote(ref)}", "application/vnd.github.sha", f"@{ref}") as answer:
            sha = _all(answer).decode("ascii", "replace").strip()
        if not sha.isalnum():
            raise SetupError(f"{self._name}@{ref}: a commit was expected, not {sha[:40]!r}")
        return sha

    def _registry_file(self, ref: str) -> str:
        path = posixpath.join(self._folder.path, REGISTRY_FILE)
        question = f"contents/{urllib.parse.quote(path)}?{urllib.parse.urlencode({'ref': ref})}"
        with self._ask(question, "application/vnd.github.raw", f"/{path}@{ref}") as answer:
            return _all(answer).decode("utf-8", "replace")

    @contextmanager
    def _ask(self, question: str, accept: str, what: str = "") -> Iterator[HTTPResponse]:
        url = (
            f"{self._api}/repos/{urllib.parse.quote(self._folder.owner)}/"
            f"{urllib.parse.quote(self._folder.repository)}/{question}"
        )
        headers = {"Accept": accept, "User-Agent": "scorekit-ks"}
        request = urllib.request.Request(url, headers=headers)  # noqa: S310 - the scheme was looked at
        if self._token:
            # Not sent where a redirect leads: the archive comes from another host.
            request.add_unredirected_header("Authorization", f"Bearer {self._token}")
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310 - the same
                yield answer
        except urllib.error.HTTPError as error:
            raise SetupError(f"{self._name}{what}: {_refusal(error, bool(self._token))}") from error
        except (OSError, HTTPException) as error:
            reason = str(getattr(error, "reason", error)).strip()
            raise SetupError(f"{self._name}{what}: {self._api} cannot be reached: {reason}") from error


def from_environment(folder: GitHubFolder) -> GitHubRegistry:
    """With ``KS_GITHUB_API`` and ``GITHUB_TOKEN`` as they are set."""
    return GitHubRegistry(folder, os.environ.get("KS_GITHUB_API") or API, os.environ.get("GITHUB_TOKEN", "").strip())


def unpacked(stream: IO[bytes], root: str, package: str) -> Iterator[tuple[str, bytes]]:
    """The files below ``root`` of a gzipped archive whose one top folder is the repository, by their path below it.

    Nothing is written. Links, devices, paths that lead out and archives of too much are refused.
    """
    count = size = seen = 0
    with tarfile.open(fileobj=stream, mode="r|gz") as archive:
        for member in archive:
            seen += member.size
            if seen > _MAX_ARCHIVE:
                raise SetupError(f"the archive of {package} unpacks to more than {_MAX_ARCHIVE >> 20} MB")
            path = member.name.partition("/")[2]
            if not path.startswith(root + "/") or member.isdir():
                continue
            if ".." in path.split("/") or posixpath.normpath(path) != path:
                raise SetupError(f'Invalid library "{package}"; its archive has the path {member.name!r}')
            if not member.isfile():
                raise SetupError(
                    f'Invalid library "{package}"; ksonnet doesn\'t support libraries with symlinks or submodules: '
                    + path
                )
            count, size = count + 1, size + member.size
            if member.size > _MAX_FILE or size > _MAX_ALL or count > _MAX_FILES:
                raise SetupError(f'Invalid library "{package}"; it is too large ({path})')
            content = archive.extractfile(member)
            yield path.removeprefix(root + "/"), content.read() if content else b""


def _all(answer: HTTPResponse) -> bytes:
    data = answer.read(_MAX_TEXT)
    if answer.length:  # `read` of so many bytes does not complain
        raise HTTPException(f"the answer was cut short, or is longer than {_MAX_TEXT} bytes")
    return data


def _refusal(error: urllib.error.HTTPError, has_token: bool) -> str:
    remaining = error.headers.get("X-RateLimit-Remaining")
    if error.code in (403, 429) and (remaining == "0" or error.code == 429 or error.headers.get("Retry-After")):
        reset = error.headers.get("X-RateLimit-Reset", "")
        until = f" until {time.strftime('%H:%M', time.gmtime(int(reset)))} UTC" if reset.isdecimal() else ""
        remedy = "wait" if has_token else "GITHUB_TOKEN raises it from 60 to 5,000 requests an hour"
        return f"GitHub's rate limit is used up{until}; {remedy}"
    if error.code == 401:
        return "GitHub does not take this GITHUB_TOKEN"
    if error.code == 404:
        return "there is no such repository, ref or file" + (
            "" if has_token else ", or it takes a GITHUB_TOKEN to see it"
        )
    return f"GitHub answers {error.code}{_message(error)}"


def _message(error: urllib.error.HTTPError) -> str:
    try:
        return f": {str(json.loads(error.read(_MAX_TEXT))['message'])[:200]}"
    except (ValueError, KeyError, TypeError, OSError):
        return ""
