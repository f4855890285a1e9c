"""app.yaml in its three schemas (ksonnet-rules.md#appyaml)."""

import pytest

from scorekit.errors import RenderError
from scorekit.ks.app.app import PinnedPackage, UnknownEnvironment, current_environment, load_app
from scorekit.testing import MemoryTree

from ..conftest import APP


def test_an_environment_is_read_with_its_defaults() -> None:
    """The name is the key, the path is the name, and the namespace is `default`."""
    app = load_app(MemoryTree({"app.yaml": "apiVersion: 0.3.0\nenvironments: {dev: {destination: {server: s}}}\n"}))
    dev = app.environment("dev")
    assert (dev.name, dev.folder, dev.server, dev.namespace) == ("dev", "environments/dev", "s", "default")


@pytest.mark.parametrize(
    ("version", "library"),
    [
        ("0.1.0", "pkg: {name: pkg, registry: reg, gitVersion: {refSpec: master, commitSha: abc}}"),
        ("0.2.0", "pkg: {name: pkg, registry: reg, version: abc}"),
        ("0.3.0", "reg/pkg: {name: pkg, registry: reg, version: abc}"),
    ],
)
def test_older_schemas_are_migrated_in_memory(version: str, library: str) -> None:
    """The three forms of a library, and targets with slashes, have the same meaning."""
    spec = f"apiVersion: {version}\nlibraries:\n  {library}\nenvironments: {{dev: {{path: dev, targets: [a/b, /]}}}}\n"
    app = load_app(MemoryTree({"app.yaml": spec}))
    assert app.libraries == (PinnedPackage("reg", "pkg", "abc"),)
    assert app.libraries[0].folder == "vendor/reg/pkg@abc"
    assert app.environment("dev").targets == ("a.b", "/")


@pytest.mark.parametrize("version", ["0.0.1", "0.4.0", "1", ""])
def test_other_schemas_are_refused_in_ksonnets_words(version: str) -> None:
    """Older and newer schemas get ksonnet's error."""
    with pytest.raises(RenderError, match=r"unsupported spec version '.*' \(this client only supports"):
        load_app(MemoryTree({"app.yaml": f"apiVersion: '{version}'\n"}))


def test_the_override_wins_except_for_libraries() -> None:
    """An override replaces destination and path, not libraries, and may have environments of its own."""
    primary = APP + "    libraries: {r/p: {name: p, registry: r, version: v1}}\n"
    override = """
apiVersion: 0.3.0
kind: ksonnet.io/app-override
environments:
  default: {destination: {server: mine, namespace: me}, libraries: {r/p: {name: p, registry: r, version: v2}}}
  extra: {path: extra, destination: {server: e}}
"""
    app = load_app(MemoryTree({"app.yaml": primary, "app.override.yaml": override}))
    default = app.environment("default")
    assert (default.server, default.namespace, default.k8s_version) == ("mine", "me", "v1.8.0")
    assert default.libraries == (PinnedPackage("r", "p", "v1"),)
    assert [found.is_override for found in app.environments.values()] == [True, True]


def test_an_unknown_environment_lists_those_there_are() -> None:
    """The error is ksonnet's sentence and the names that exist."""
    with pytest.raises(UnknownEnvironment, match=r'^environment "x" was not found; this app has: default$'):
        load_app(MemoryTree({"app.yaml": APP})).environment("x")


def test_the_current_environment_is_in_a_file() -> None:
    """`.ks_environment` has its name, or does not exist (ksonnet-rules.md#app-folder)."""
    assert current_environment(MemoryTree({".ks_environment": "dev"})) == "dev"
    assert current_environment(MemoryTree({})) == ""


@pytest.mark.parametrize("text", ["", "[]", "apiVersion: 0.3.0\nenvironments: []\n", "a: [\n"])
def test_a_broken_app_yaml_is_a_render_error(text: str) -> None:
    """Every fault of the file is a `RenderError` that names it."""
    with pytest.raises(RenderError, match=r"^app\.yaml"):
        load_app(MemoryTree({"app.yaml": text}))
