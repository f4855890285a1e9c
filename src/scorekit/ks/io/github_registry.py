"""Registries on GitHub, over its REST API: the commit of a ref, one file, and a package out of one archive.

A package comes in a single request, as an archive of the repository. ksonnet made one request for each file, and GitHub
allows 60 an hour without a token.
"""

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
_MAX_ARCHIVE = 512 << 20  # bytes of the whole repository, unpacked


class GitHubRegistry:
    """A ``RegistryClient`` for a folder of a repository.

    ``api`` is GitHub's address, or that of a GitHub Enterprise (``https://HOST/api/v3``). The token is sent to that
    address only. Raises ``SetupError`` if one of them is malformed; the message never contains the token.
    """

    def __init__(self, folder: GitHubFolder, api: str = API, token: str = "") -> None:
        if urllib.parse.urlsplit(api).scheme not in ("http", "https"):
            raise SetupError(f"KS_GITHUB_API is {api!r}; it must begin with https:// or http://")
        if not (token.isascii() and token.isprintable()):  # http.client's own error would contain it
            raise SetupError("GITHUB_TOKEN contains a line end or another character that is not valid in a token")
        self._folder = folder
        self._api = api.rstrip("/")
        self._token = token

    def __repr__(self) -> str:
        return f"GitHubRegistry({self._folder!r}, {self._api!r})"

    def validate(self) -> None:
        """Raises ``SetupError`` if there is no ``registry.yaml``."""
        try:
            self._registry_file(self._folder.ref)
        except SetupError as error:
            raise SetupError(f"validating registry URL: validating GitHub registry URL: {error}") from error

    def catalogue(self) -> Catalogue:
        """What the registry offers; the version of every package is the commit of the ref. Raises ``SetupError``."""
        version = self._commit(self._folder.ref)
        return read_catalogue(self._registry_file(version), REGISTRY_FILE, version)

    def version(self, package: str, ref: str) -> str:
        """The commit of ``ref``, or of the registry's own ref. Raises ``SetupError``."""
        return self._commit(ref or self._folder.ref)

    def files(self, package: str, version: str) -> dict[str, bytes]:
        """The files of a package at a commit, by path in it. Raises ``SetupError``."""
        root = posixpath.join(self._folder.path, package)
        with self._request(f"tarball/{urllib.parse.quote(version)}", "application/vnd.github+json") as response:
            try:
                files = dict(unpacked(response, root, package))
            except (tarfile.TarError, EOFError, OSError) as error:
                raise SetupError(f"{self._name}: the archive is broken: {error}") from error
        if not files:
            raise SetupError(f"{self._name}@{version} has no folder {root}")
        return files

    @property
    def _name(self) -> str:
        return f"github.com/{self._folder.owner}/{self._folder.repository}"

    def _commit(self, ref: str) -> str:
        with self._request(f"commits/{urllib.parse.quote(ref)}", "application/vnd.github.sha", f"@{ref}") as response:
            sha = _body(response).decode("ascii", "replace").strip()
        if not sha.isalnum():
            raise SetupError(f"{self._name}@{ref}: a commit was expected, not {sha[:40]!r}")
        return sha

    def _registry_file(self, ref: str) -> str:
        path = posixpath.join(self._folder.path, REGISTRY_FILE)
        path_and_query = f"contents/{urllib.parse.quote(path)}?{urllib.parse.urlencode({'ref': ref})}"
        with self._request(path_and_query, "application/vnd.github.raw", f"/{path}@{ref}") as response:
            return _body(response).decode("utf-8", "replace")

    @contextmanager
    def _request(self, path_and_query: str, accept: str, what: str = "") -> Iterator[HTTPResponse]:
        url = (
            f"{self._api}/repos/{urllib.parse.quote(self._folder.owner)}/"
            f"{urllib.parse.quote(self._folder.repository)}/{path_and_query}"
        )
        headers = {"Accept": accept, "User-Agent": "scorekit-ks"}
        request = urllib.request.Request(url, headers=headers)  # noqa: S310 - the scheme was checked
        if self._token:
            # The archive is redirected to another host, which must not get the token.
            request.add_unredirected_header("Authorization", f"Bearer {self._token}")
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:  # noqa: S310 - the same
                yield response
        except urllib.error.HTTPError as error:
            raise SetupError(f"{self._name}{what}: {_refusal(error, bool(self._token))}") from error
        except (OSError, HTTPException) as error:
            reason = str(getattr(error, "reason", error)).strip()
            raise SetupError(f"{self._name}{what}: {self._api} cannot be reached: {reason}") from error


def from_environment(folder: GitHubFolder) -> GitHubRegistry:
    """The client that ``KS_GITHUB_API`` and ``GITHUB_TOKEN`` configure. Raises ``SetupError``."""
    return GitHubRegistry(folder, os.environ.get("KS_GITHUB_API") or API, os.environ.get("GITHUB_TOKEN", "").strip())


def unpacked(stream: IO[bytes], root: str, package: str) -> Iterator[tuple[str, bytes]]:
    """The files below ``root`` in a gzipped archive with one top folder (the repository), by path below ``root``.

    The archive comes from the network, so nothing is written here. Raises ``SetupError`` for links, devices, paths with
    ``..``, and for more or larger files than the limits above.
    """
    count = size = unpacked_size = 0
    with tarfile.open(fileobj=stream, mode="r|gz") as archive:
        for member in archive:
            unpacked_size += member.size
            if unpacked_size > _MAX_ARCHIVE:
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


def _body(response: HTTPResponse) -> bytes:
    data = response.read(_MAX_TEXT)
    if response.length:  # `read(n)` does not report a body that ends early
        raise HTTPException(f"the response was cut short, or is longer than {_MAX_TEXT} bytes")
    return data


def _refusal(error: urllib.error.HTTPError, has_token: bool) -> str:
    remaining = error.headers.get("X-RateLimit-Remaining")
    if error.code in (403, 429) and (remaining == "0" or error.code == 429 or error.headers.get("Retry-After")):
        reset = error.headers.get("X-RateLimit-Reset", "")
        until = f" until {time.strftime('%H:%M', time.gmtime(int(reset)))} UTC" if reset.isdecimal() else ""
        remedy = "wait" if has_token else "GITHUB_TOKEN raises it from 60 to 5,000 requests an hour"
        return f"GitHub's rate limit is used up{until}; {remedy}"
    if error.code == 401:
        return "GitHub does not accept this GITHUB_TOKEN"
    if error.code == 404:
        return "there is no such repository, ref or file" + ("" if has_token else ", or it needs a GITHUB_TOKEN")
    return f"GitHub answered {error.code}{_message(error)}"


def _message(error: urllib.error.HTTPError) -> str:
    try:
        return f": {str(json.loads(error.read(_MAX_TEXT))['message'])[:200]}"
    except (ValueError, KeyError, TypeError, OSError):
        return ""
