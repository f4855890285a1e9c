"""Registries on GitHub, with a server on this machine in place of GitHub."""

import gzip
import http.server
import io
import socket
import tarfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from scorekit.errors import SetupError
from scorekit.ks.io.github_registry import GitHubRegistry, unpacked
from scorekit.ks.packages.registries import GitHubFolder, github_folder

from .conftest import Run, files, info, ok, refused

TOKEN = "ghp_secret-of-a-test"  # noqa: S105
OLD, NEW = "a" * 39 + "1", "a" * 39 + "2"
REGISTRY = "apiVersion: 0.1.0\nkind: ksonnet.io/registry\nlibraries:\n  nginx: {version: master, path: nginx}\n"


def archive(**members: str | tarfile.TarInfo) -> bytes:
    """The archive of a repository as GitHub sends it: one top folder, gzipped."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as out:
        for name, what in members.items():
            info_ = what if isinstance(what, tarfile.TarInfo) else tarfile.TarInfo(f"o-r-abc/{name}")
            data = what.encode() if isinstance(what, str) else b""
            if isinstance(what, str):
                info_.size = len(data)
            out.addfile(info_, io.BytesIO(data))
    return stream.getvalue()


PACKAGE = {
    "README.md": "the repository's",
    "incubator/nginx/parts.yaml": "name: nginx\ndescription: A web server\n",
    "incubator/nginx/nginx.libsonnet": "{ version:: 1 }",
    "incubator/nginx/prototypes/simple.jsonnet": (
        "// @apiVersion 0.1\n// @name nginx\n// @description d\n// @param name string n\n{}"
    ),
    "incubator/nginx-more/parts.yaml": "name: another\n",
}


@dataclass
class Hub:
    """The server; ``commits`` maps refs to commits, ``asked`` has path and token of every request, in order."""

    url: str = ""
    commits: dict[str, str] = field(default_factory=lambda: {"master": OLD, "v2": NEW, OLD: OLD, NEW: NEW})
    archive: bytes = field(default_factory=lambda: archive(**PACKAGE))
    refusal: tuple[int, dict[str, str], str] | None = None
    asked: list[tuple[str, str]] = field(default_factory=list)
    elsewhere: str = ""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, ks: Run) -> Iterator[Hub]:
    """The server, and a second host that archives are redirected to, as with the real one."""
    state = Hub()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append((self.path, self.headers.get("Authorization", "")))
            if state.refusal is not None:
                code, headers, body = state.refusal
                return self.answer(code, body.encode(), headers)
            path, _, query = self.path.partition("?")
            if path.startswith("/archive/"):
                return self.answer(200, state.archive, {"Content-Type": "application/x-gzip"})
            for prefix, ask in (("commits", self.commit), ("contents", self.contents), ("tarball", self.tarball)):
                start = f"/api/repos/o/r/{prefix}/"
                if path.startswith(start):
                    return ask(path.removeprefix(start), query)
            return self.answer(404, b'{"message": "Not Found"}', {})

        def commit(self, ref: str, query: str) -> None:
            assert "sha" in self.headers["Accept"]
            sha = state.commits.get(ref)
            self.answer(200 if sha else 404, (sha or "").encode(), {})

        def contents(self, path: str, query: str) -> None:
            assert "raw" in self.headers["Accept"]
            known = path == "incubator/registry.yaml" and query.removeprefix("ref=") in state.commits
            self.answer(200 if known else 404, REGISTRY.encode(), {})

        def tarball(self, ref: str, query: str) -> None:
            self.answer(302, b"", {"Location": f"{state.elsewhere}/archive/{ref}"})

        def answer(self, code: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(code)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Print no log."""

    servers = [http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) for _ in range(2)]
    threads = [threading.Thread(target=server.serve_forever, args=(0.02,)) for server in servers]
    for thread in threads:
        thread.start()
    state.url, state.elsewhere = (f"http://127.0.0.1:{server.server_port}" for server in servers)
    monkeypatch.setenv("KS_GITHUB_API", f"{state.url}/api/")
    yield state
    for server, thread in zip(servers, threads, strict=True):
        server.shutdown()
        server.server_close()
        thread.join()


def added(ks: Run) -> None:
    assert ks("registry", "add", "inc", "github.com/o/r/tree/master/incubator") == ok()


def test_a_package_is_vendored_under_its_commit(ks: Run, app: Path, hub: Hub) -> None:
    """A ref is resolved to a commit, and one archive brings all files of the package."""
    added(ks)
    assert f"version: {OLD}" in (app / ".ksonnet/registries/inc/registry.yaml").read_text()
    hub.asked.clear()
    assert ks("pkg", "install", "inc/nginx@master") == ok(err=info("Retrieved 3 files"))
    assert len(hub.asked) == 3  # the commit, the archive, and where it is sent from
    assert files(app / f"vendor/inc/nginx@{OLD}") == {
        "parts.yaml": PACKAGE["incubator/nginx/parts.yaml"],
        "nginx.libsonnet": "{ version:: 1 }",
        "prototypes/simple.jsonnet": PACKAGE["incubator/nginx/prototypes/simple.jsonnet"],
    }
    assert f"  inc/nginx:\n    name: nginx\n    registry: inc\n    version: {OLD}\n" in (app / "app.yaml").read_text()
    assert ks("pkg", "list").out.splitlines()[2:] == [f"inc      nginx {OLD} *"]
    assert ks("pkg", "describe", "inc/nginx").out.startswith("LIBRARY NAME:\ninc/nginx\n\nDESCRIPTION:\nA web server\n")


def test_a_version_that_nothing_pins_is_removed(ks: Run, app: Path, hub: Hub) -> None:
    """Installing another version removes the old one, unless an environment pins it."""
    added(ks)
    ks("pkg", "install", "inc/nginx")
    assert ks("pkg", "install", "inc/nginx@v2").status == 0
    assert [path.name for path in (app / "vendor/inc").iterdir()] == [f"nginx@{NEW}"]
    assert ks("pkg", "install", "inc/nginx@master", "--env", "default").status == 0
    assert ks("pkg", "list", "--installed").out.splitlines()[2:] == [
        f"inc      nginx {OLD} *         default",
        f"inc      nginx {NEW} *",
    ]
    assert ks("pkg", "remove", "inc/nginx") == ok(err=info(f"Removing package inc/nginx@{NEW}"))
    assert [path.name for path in (app / "vendor/inc").iterdir()] == [f"nginx@{OLD}"]


def test_an_installed_package_is_fetched_again_only_with_force(ks: Run, app: Path, hub: Hub) -> None:
    """An installed package is not fetched again without --force; only its commit is asked for."""
    added(ks)
    ks("pkg", "install", "inc/nginx")
    hub.asked.clear()
    assert ks("pkg", "install", "inc/nginx") == ok()
    assert [path for path, _ in hub.asked] == ["/api/repos/o/r/commits/master"]
    assert ks("pkg", "install", "inc/nginx", "--force") == ok(err=info("Retrieved 3 files"))


def test_the_token_goes_to_the_api_and_nowhere_else(
    ks: Run, app: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token reaches neither the host of the archive, nor a message, nor a file."""
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    added(ks)
    said = [ks("pkg", "install", "inc/nginx")]
    assert {token for path, token in hub.asked if path.startswith("/api/")} == {f"Bearer {TOKEN}"}
    assert {token for path, token in hub.asked if path.startswith("/archive/")} == {""}
    for code in (401, 403, 404, 500):
        hub.refusal = (code, {}, f'{{"message": "no"}}')  # noqa: F541
        said.append(ks("pkg", "install", "inc/nginx", "--force"))
    assert all(TOKEN not in ran.out + ran.err for ran in said)
    assert all(TOKEN not in text for text in files(app).values())
    assert TOKEN not in repr(GitHubRegistry(GitHubFolder("o", "r", "master", ""), hub.url, TOKEN))


@pytest.mark.parametrize(
    ("refusal", "token", "message"),
    [
        ((404, {}, ""), "", "there is no such repository, ref or file, or it needs a GITHUB_TOKEN"),
        ((404, {}, ""), "t", "there is no such repository, ref or file"),
        ((401, {}, ""), "t", "GitHub does not accept this GITHUB_TOKEN"),
        (
            (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1700000000"}, ""),
            "",
            "GitHub's rate limit is used up until 22:13 UTC; GITHUB_TOKEN raises it from 60 to 5,000 requests an hour",
        ),
        ((429, {}, ""), "t", "GitHub's rate limit is used up; wait"),
        ((403, {}, '{"message": "Blocked"}'), "t", "GitHub answered 403: Blocked"),
        ((500, {}, "<html>"), "t", "GitHub answered 500"),
    ],
)
def test_refusals_say_what_to_do(
    ks: Run,
    app: Path,
    hub: Hub,
    monkeypatch: pytest.MonkeyPatch,
    refusal: tuple[int, dict[str, str], str],
    token: str,
    message: str,
) -> None:
    """A refusal is one line with the repository, the ref and the remedy; nothing is written."""
    added(ks)
    before = files(app)
    if token:
        monkeypatch.setenv("GITHUB_TOKEN", token)
    hub.refusal = refusal
    assert ks("pkg", "install", "inc/nginx") == refused(
        f"resolving package metadata: inc/nginx: github.com/o/r@master: {message}"
    )
    assert files(app) == before


def test_without_a_network_the_kept_catalogue_is_listed(
    ks: Run, app: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`pkg list` warns and lists the kept catalogue; `pkg install` says that nothing answers."""
    added(ks)
    monkeypatch.setenv("KS_GITHUB_API", "http://127.0.0.1:9")
    ran = ks("pkg", "list")
    assert (ran.status, ran.out.splitlines()[2:]) == (0, [f"inc      nginx {OLD}"])
    assert "http://127.0.0.1:9 cannot be reached" in ran.err
    assert f'level=warning msg="falling back to cached version ({OLD})"\n' in ran.err
    assert "cannot be reached" in ks("pkg", "install", "inc/nginx").err
    monkeypatch.setenv("KS_GITHUB_API", "file:///etc")
    assert "it must begin with https:// or http://" in ks("pkg", "install", "inc/nginx").err


def test_a_registry_that_is_not_there_is_not_added(ks: Run, app: Path, hub: Hub) -> None:
    """The app stays as it was if the registry does not exist."""
    before = files(app)
    for uri in ("github.com/o/no", "github.com/o/r/tree/master/other", "github.com/o/r/tree/nobranch/incubator"):
        ran = ks("registry", "add", "x", uri)
        assert ran.status == 1
        assert "validating registry URL: validating GitHub registry URL: github.com/o/" in ran.err
    assert files(app) == before


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "", size: int = 0) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.size = kind, target, size
    return made


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (
            member("o-r-abc/incubator/nginx/link", tarfile.SYMTYPE, "/etc/passwd"),
            "symlinks or submodules: incubator/nginx/link",
        ),
        (member("o-r-abc/incubator/nginx/hard", tarfile.LNKTYPE, "o-r-abc/README.md"), "symlinks or submodules"),
        (member("o-r-abc/incubator/nginx/dev", tarfile.CHRTYPE), "symlinks or submodules"),
        (member("o-r-abc/incubator/nginx/../../../x"), "its archive has the path"),
        (member("o-r-abc/incubator/nginx//x"), "its archive has the path"),
    ],
)
def test_an_archive_cannot_write_elsewhere(ks: Run, app: Path, hub: Hub, bad: tarfile.TarInfo, message: str) -> None:
    """Links, devices and paths with `..` are refused, and nothing is written."""
    added(ks)
    before = files(app.parent)
    hub.archive = archive(**PACKAGE, bad=bad)
    ran = ks("pkg", "install", "inc/nginx")
    assert ran.status == 1
    assert message in ran.err
    assert files(app.parent) == before


def test_links_elsewhere_in_the_repository_do_not_matter(ks: Run, app: Path, hub: Hub) -> None:
    """Only the files of the package are checked."""
    added(ks)
    hub.archive = archive(**PACKAGE, bad=member("o-r-abc/docs/link", tarfile.SYMTYPE, "/etc"))
    assert ks("pkg", "install", "inc/nginx") == ok(err=info("Retrieved 3 files"))


def test_an_archive_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits on the size of a file, the number of files and the whole archive hold before it is in memory."""
    huge = archive(**{f"p/{number}": "x" * 100 for number in range(20)})
    for name, value, message in (
        ("_MAX_FILE", 99, "too large"),
        ("_MAX_FILES", 19, "too large"),
        ("_MAX_ALL", 1999, "too large"),
        ("_MAX_ARCHIVE", 1999, "unpacks to more"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(f"scorekit.ks.io.github_registry.{name}", value)
            with pytest.raises(SetupError, match=message):
                list(unpacked(io.BytesIO(huge), "p", "p"))
    assert len(list(unpacked(io.BytesIO(huge), "p", "p"))) == 20


@pytest.mark.parametrize(
    "data",
    [b"", b"no archive", gzip.compress(b"no archive"), archive(**PACKAGE)[:80]],
    ids=["empty", "text", "compressed text", "cut off"],
)
def test_a_broken_archive_is_our_error(ks: Run, app: Path, hub: Hub, data: bytes) -> None:
    """A broken archive gets our error message, and nothing is written."""
    added(ks)
    hub.archive = data
    ran = ks("pkg", "install", "inc/nginx")
    assert ran.status == 1
    assert "resolving package metadata: inc/nginx: github.com/o/r" in ran.err
    assert not (app / "vendor/inc").exists()


def test_a_package_that_is_not_in_the_archive(ks: Run, app: Path, hub: Hub) -> None:
    """The error names the package; a folder without parts.yaml is not one."""
    added(ks)
    assert ks("pkg", "install", "inc/no") == refused(
        f"resolving package metadata: inc/no: github.com/o/r@{OLD} has no folder incubator/no"
    )
    hub.archive = archive(**{"incubator/no/README.md": ""})
    assert ks("pkg", "install", "inc/no") == refused("resolving package metadata: inc/no: it has no parts.yaml")


@pytest.mark.parametrize(
    ("uri", "folder"),
    [
        ("github.com/o/r", GitHubFolder("o", "r", "master", "")),
        ("https://www.github.com/o/r/", GitHubFolder("o", "r", "master", "")),
        ("github.com/o/r/tree/v1/a/b/", GitHubFolder("o", "r", "v1", "a/b")),
        ("http://github.com/o/r/blob/v1/a/registry.yaml", GitHubFolder("o", "r", "v1", "a")),
    ],
)
def test_uris_of_github(uri: str, folder: GitHubFolder) -> None:
    """A URI names a repository, a folder at a ref, or the file registry.yaml."""
    assert github_folder(uri) == folder


def test_an_enterprises_api_works_too(hub: Hub) -> None:
    """Any address with the same paths works as the API."""
    source = GitHubRegistry(GitHubFolder("o", "r", "v2", "incubator"), f"{hub.url}/api")
    assert source.version("nginx", "") == NEW
    assert source.catalogue().versions == {"nginx": NEW}


@pytest.mark.parametrize(
    "answer", [b"SSH-2.0-x\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + b"a" * 40, b""]
)
def test_a_malformed_response_is_our_error(answer: bytes) -> None:
    """A response that is not HTTP, ends early or never comes gets our error message."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for _ in range(2):
                with listener.accept()[0] as client:
                    client.recv(65536)
                    client.sendall(answer)

        with ThreadPoolExecutor(1) as pool:
            served = pool.submit(serve)
            source = GitHubRegistry(
                GitHubFolder("o", "r", "v2", "incubator"), f"http://127.0.0.1:{listener.getsockname()[1]}"
            )
            for ask in (source.validate, source.catalogue):
                with pytest.raises(SetupError, match=r"github.com/o/r.*cannot be reached: ."):
                    ask()
            served.result()


def test_an_invalid_token_is_refused_without_printing_it(ks: Run, app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token with a line end inside is refused without printing it; one at its end is removed."""
    monkeypatch.setenv("GITHUB_TOKEN", f"{TOKEN}\nmore\n")
    ran = ks("registry", "add", "inc", "github.com/o/r/tree/master/incubator")
    assert (ran.status, TOKEN in ran.err + ran.out) == (1, False)
    assert "GITHUB_TOKEN contains a line end" in ran.err
