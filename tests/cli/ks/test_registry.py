"""`ks registry …` and `ks pkg …` with registries in folders and in our wheel."""

import re
from pathlib import Path

import pytest

from .conftest import Run, files, info, ok, refused

SELDON = "github.com/SeldonIO/seldon-core/tree/master/seldon-core"
REGISTRIES = "NAME OVERRIDE PROTOCOL URI\n==== ======== ======== ===\n"
PACKAGES = "REGISTRY NAME VERSION INSTALLED ENVIRONMENTS\n======== ==== ======= ========= ============\n"


@pytest.fixture
def shelf(app: Path) -> Path:
    """A registry in a folder next to the app, with one package."""
    shelf = app.parent / "shelf"
    (shelf / "pkg/prototypes").mkdir(parents=True)
    (shelf / "registry.yaml").write_text(
        "apiVersion: 0.1.0\nkind: ksonnet.io/registry\nlibraries:\n  pkg: {version: master, path: pkg}\n"
    )
    (shelf / "pkg/parts.yaml").write_text(
        "apiVersion: 0.0.1\nkind: ksonnet.io/parts\nname: pkg\ndescription: A package\nversion: 0.3.3\n"
    )
    (shelf / "pkg/lib.libsonnet").write_text('{ word: "one" }')
    (shelf / "pkg/prototypes/x.jsonnet").write_text(
        "// @apiVersion 0.1\n// @name io.x\n// @description d\n// @shortDescription A short one\n"
        "// @param name string n\n{}"
    )
    (shelf / "pkg/logo.png").write_bytes(b"\x89PNG\xff")
    return shelf


@pytest.mark.parametrize("uri", ["../shelf", "{}", "file://{}"])
def test_a_registry_in_a_folder(ks: Run, app: Path, shelf: Path, uri: str) -> None:
    """The path may be relative to the app; packages are vendored without a version, and imports find them."""
    assert ks("registry", "add", "here", uri.format(shelf)) == ok()
    shown = uri.format(shelf).removeprefix("file://")
    assert f"registries:\n  here:\n    protocol: fs\n    uri: {shown}\n" in (app / "app.yaml").read_text()
    assert ks("registry", "describe", "here") == ok(
        f"REGISTRY NAME:\nhere\n\nURI:\n{shown}\n\nPROTOCOL:\nfs\n\nPACKAGES:\n  pkg\n"
    )
    assert ks("pkg", "install", "here/pkg") == ok(err=info("Retrieved 4 files"))
    assert {path: (app / "vendor/here/pkg" / path).read_bytes() for path in ("logo.png", "lib.libsonnet")} == {
        "logo.png": b"\x89PNG\xff",
        "lib.libsonnet": b'{ word: "one" }',
    }
    assert (
        'libraries:\n  here/pkg:\n    name: pkg\n    registry: here\n    version: ""\n'
        in (app / "app.yaml").read_text()
    )
    (app / "components/a.jsonnet").write_text('{ kind: "K", word: (import "here/pkg/lib.libsonnet").word }')
    assert "word: one" in ks("show", "default").out
    # Twice, as in the original (ksonnet-rules.md#repair-folder-versions): a folder has no versions.
    assert ks("pkg", "list").out.splitlines()[2:] == ["here     pkg          *", "here     pkg  master"]
    assert ks("pkg", "list", "--installed") == ok(
        "REGISTRY NAME VERSION INSTALLED ENVIRONMENTS\n======== ==== ======= ========= ============\n"
        "here     pkg          *\n"
    )
    assert ks("pkg", "describe", "here/pkg") == ok(
        "LIBRARY NAME:\nhere/pkg\n\nDESCRIPTION:\nA package\n\nPROTOTYPES:\n  io.x - A short one\n"
    )
    assert ks("pkg", "remove", "pkg") == ok(err=info("Removing package here/pkg"))
    assert not (app / "vendor/here").exists()
    assert "libraries" not in (app / "app.yaml").read_text()


def test_packages_of_one_environment(ks: Run, app: Path, shelf: Path) -> None:
    """A package stays vendored until nothing pins it; an alias gives it another name."""
    ks("registry", "add", "here", str(shelf))
    assert ks("pkg", "install", "here/pkg", "--env", "default") == ok(err=info("Retrieved 4 files"))
    assert ks("pkg", "install", "here/pkg") == ok(err=info("Retrieved 4 files"))
    assert ks("pkg", "list", "--installed").out.splitlines()[2:] == ["here     pkg          *         default"]
    assert ks("pkg", "remove", "here/pkg").status == 0
    assert (app / "vendor/here/pkg/parts.yaml").exists()
    assert ks("pkg", "remove", "here/pkg", "--env", "default").status == 0
    assert not (app / "vendor/here").exists()
    assert ks("pkg", "install", "here/pkg", "--name", "other").status == 0
    assert (app / "vendor/here/other/parts.yaml").exists()
    assert "here/other:\n    name: other\n" in (app / "app.yaml").read_text()
    before = sorted(app.rglob("*"))
    for alias in ("../../components", "..", "a/b"):
        assert ks("pkg", "install", "here/pkg", "--name", alias).err == (
            f'level=error msg="--name {alias}: a package\'s name is letters, digits and dashes"\n'
        )
    assert sorted(app.rglob("*")) == before


def test_registries_in_a_table_and_overridden(ks: Run, app: Path, shelf: Path) -> None:
    """-o stores a registry in the override; `set` changes the URI in the file that has it."""
    ks("registry", "add", "here", str(shelf))
    assert ks("registry", "add", "mine", "../shelf", "-o") == ok()
    assert ks("registry", "list") == ok(
        REGISTRIES + f"here          fs       {shelf}\nmine *        fs       ../shelf\n"
    )
    assert ks("registry", "list", "-o", "json").out.startswith('{\n\t"kind": "registryList",\n')
    assert "mine" not in (app / "app.yaml").read_text()
    other = shelf.rename(shelf.parent / "moved")
    before = files(app)
    assert ks("registry", "set", "mine", "--uri", "../shelf2") == refused(
        "setting registry mine uri: ../shelf2: validating uri: "
        f'validating registry URL: registry path "{shelf.parent}/shelf2" does not exist'
    )
    assert files(app) == before
    assert ks("registry", "set", "mine", "--uri", str(other)) == ok()
    assert f"    uri: {other}\n" in (app / "app.override.yaml").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["registry", "add", "here", "."], "Registry with name already exists"),
        (["registry", "add", "../x", "."], "Registry name is invalid: it takes letters, digits and dashes"),
        (["registry", "add", "x", "./no"], 'validating registry URL: registry path "{app}/no" does not exist'),
        (
            ["registry", "add", "x", "./lib"],
            "caching registry: open {app}/lib/registry.yaml: no such file or directory",
        ),
        (
            ["registry", "add", "x"],
            "Command 'registry add' takes two arguments, which is the name and the repository address of the registry "
            "to add",
        ),
        (
            ["registry", "add", "x", "https://charts.test"],
            "x: helm registries are not supported: render the chart with `helm template` and import it with "
            "`ks import`",
        ),
        (
            ["registry", "add", "x", "github.com/a"],
            "adding registry: GitHub URI must point at a repository:\ngithub.com/a",
        ),
        (
            ["registry", "add", "x", "github.com/a/b/foo/c"],
            "adding registry: Invalid GitHub URI: try navigating in GitHub to the URI of the folder containing the "
            "'yaml', and using that URI instead. Generally, this URI should be of the form "
            "'github.com/{organization}/{repository}/tree/{branch}/[path-to-directory]'",
        ),
        (
            ["registry", "add", "x", "github.com/a/b?c=d"],
            "adding registry: No query strings allowed in registry URI:\ngithub.com/a/b?c=d",
        ),
        (["registry", "describe", "x"], 'registry "x" doesn\'t exist'),
        (["registry", "set", "x", "--uri=y"], "unknown registry: x"),
        (["registry", "set", "here"], "nothing to set"),
        (["pkg", "install", "pkg"], "registry '' does not exist"),
        (["pkg", "install", "no/pkg"], "registry 'no' does not exist"),
        (
            ["pkg", "install", "here/no"],
            "resolving package metadata: here/no: open {shelf}/no/parts.yaml: no such file or directory",
        ),
        (["pkg", "install", "here/pkg", "--env", "no"], 'checking environment: environment "no" was not found'),
        (["pkg", "install", "a b"], "package name should be in the form `<registry>/<library>@<version>`"),
        (["pkg", "install", "here/../x"], "package name should be in the form `<registry>/<library>@<version>`"),
        (["pkg", "install"], "Command requires a single argument of the form <registry>/<package>@<version>"),
        (["pkg", "describe"], "Command 'pkg describe' requires a package name"),
        (["pkg", "describe", "pkg"], "cannot find package - please specify a registry"),
        (["pkg", "remove", "no"], "updating library in global scope: package not found: no"),
        (
            ["pkg", "remove", "here/pkg@1", "--env", "default"],
            "updating library in environment scope: package not found: here/pkg@1",
        ),
        (["pkg", "remove", "here/pkg", "--env", "no"], "invalid environment: no"),
        (["pkg", "list", "-o", "x"], 'detecting output format: unknown output format "x"'),
    ],
)
def test_what_is_refused(ks: Run, app: Path, shelf: Path, arguments: list[str], message: str) -> None:
    """An invalid request gets ksonnet's message, and nothing is written."""
    ks("registry", "add", "here", str(shelf))
    before = files(app)
    assert ks(*arguments) == refused(message.replace("{app}", str(app)).replace("{shelf}", str(shelf)))
    assert files(app) == before


def test_a_registry_that_is_broken(ks: Run, app: Path, shelf: Path) -> None:
    """The error names the invalid registry.yaml."""
    for text, message in (
        ("[", "not YAML"),
        ("x", "a mapping with apiVersion, kind and libraries was expected"),
        ("apiVersion: 9.9.9", "Registry uses unsupported spec version '9.9.9'"),
        ("apiVersion: 0.1\nlibraries: [1]", "libraries must be a mapping of mappings"),
    ):
        (shelf / "registry.yaml").write_text(text)
        ran = ks("registry", "add", "here", str(shelf))
        assert ran.status == 1
        assert message in ran.err


def test_the_registry_inside_the_wheel(ks: Run, app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It replaces the deleted folder on GitHub, at any ref and without a network, with one version."""
    monkeypatch.setenv("KS_GITHUB_API", "http://127.0.0.1:9")  # nobody answers there
    for uri in ("https://github.com/SeldonIO/seldon-core/blob/v0.2.6/seldon-core/registry.yaml", SELDON):
        name = "seldon-core" if uri == SELDON else "old"
        assert ks("registry", "add", name, uri) == ok()
        assert f"  {name}:\n    protocol: github\n    uri: {uri}\n" in (app / "app.yaml").read_text()
    assert (app / ".ksonnet/registries/seldon-core/registry.yaml").read_text() == (
        "apiVersion: 0.2.0\nkind: ksonnet.io/registry\nlibraries:\n  seldon-core:\n    path: seldon-core\n"
        "    version: 1.17.1\nversion: 1.17.1\n"
    )
    ran = ks("pkg", "install", "seldon-core/seldon-core@master")
    assert (ran.status, ran.out) == (0, "")
    assert re.fullmatch(r'level=info msg="Retrieved \d+ files"\n', ran.err)
    vendored = app / "vendor/seldon-core/seldon-core@1.17.1"
    assert (vendored / "parts.yaml").is_file()
    assert (vendored / "prototypes/core.jsonnet").is_file()
    assert (
        "libraries:\n  seldon-core/seldon-core:\n    name: seldon-core\n    registry: seldon-core\n"
        "    version: 1.17.1\n" in (app / "app.yaml").read_text()
    )
    before = files(app)
    assert ks("pkg", "install", "seldon-core/seldon-core") == ok()  # it is there
    assert ks("pkg", "install", "seldon-core/seldon-core", "--force").err == ran.err
    assert files(app) == before
    assert ks("pkg", "list").out.splitlines()[2:] == [
        "old         seldon-core 1.17.1",
        "seldon-core seldon-core 1.17.1  *",
    ]
    assert ks("pkg", "install", "seldon-core/seldon-core@v0.2.6") == refused(
        "resolving package metadata: seldon-core/seldon-core@v0.2.6: "
        "seldon-core@v0.2.6 is not available: this registry was deleted from GitHub; "
        "scorekit contains seldon-core@1.17.1 in its place"
    )
    assert ks("pkg", "install", "seldon-core/no") == refused(
        'resolving package metadata: seldon-core/no: there is no package "no" here; there are: seldon-core'
    )
    assert ks("pkg", "describe", "seldon-core").out.startswith(
        "LIBRARY NAME:\nseldon-core\n\nDESCRIPTION:\nSeldon Core"
    )
