"""`ks init`, `ks version` and errors of the command line."""

from pathlib import Path

import pytest

from .conftest import Run, files, info, ok, refused

GOLDEN = Path(__file__).parents[3] / "ksonnet-app"
KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: dev
clusters:
- {name: one, cluster: {server: "https://one.test:6443"}}
- {name: two, cluster: {server: "https://two.test"}}
contexts:
- {name: dev, context: {cluster: one, namespace: web, user: me}}
- {name: other, context: {cluster: two}}
- {name: lost, context: {cluster: gone}}
"""


@pytest.fixture
def kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "kubeconfig"
    path.write_text(KUBECONFIG)
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'none'}:{path}")
    monkeypatch.chdir(tmp_path)
    return path


def test_the_files_of_a_new_app(app: Path) -> None:
    """They are ksonnet 0.13's byte for byte, with its empty folders."""
    found = files(app)
    assert found.pop("app.yaml") == (
        "apiVersion: 0.3.0\nenvironments:\n  default:\n    destination:\n      namespace: seldon\n"
        "      server: https://example.test\n    k8sVersion: v1.8.0\n    path: default\nkind: ksonnet.io/app\n"
        "name: app\nversion: 0.0.1\n"
    )
    assert found.pop(".gitignore") == "/lib\n/.ksonnet/registries\n/app.override.yaml\n/.ks_environment\n"
    assert found.pop("components/params.libsonnet") == (
        "{\n  global: {\n"
        "    // User-defined global parameters; accessible to all component and environments, Ex:\n"
        "    // replicas: 4,\n  },\n  components: {\n"
        "    // Component-level parameters, defined initially from 'ks prototype use ...'\n"
        "    // Each object below should correspond to a component in the components/ directory\n  },\n}\n"
    )
    assert found.pop("environments/default/globals.libsonnet") == "{\n}"
    # The rest is as in our own app, which the original made.
    assert found == {path: (GOLDEN / path).read_text() for path in found}
    assert set(found) == {
        "environments/base.libsonnet",
        "environments/default/main.jsonnet",
        "environments/default/params.libsonnet",
    }
    for folder in (".ksonnet/registries", "lib", "vendor"):
        assert (app / folder).is_dir()


def test_init_logs_and_adds_the_default_registry(ks: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tutorial's command runs without a kubeconfig and a network, and adds the registry incubator."""
    monkeypatch.chdir(tmp_path)
    assert ks("init", "x", "--api-spec=version:v1.8.0") == ok(
        err='level=warning msg="No current context found: environment \\"default\\" points to https://localhost:6443; '
        '`ks env set default --server=URL` changes that"\n'
        + info(
            'Creating environment "default" with namespace "default", '
            'pointing to "version:v1.8.0" cluster at address "https://localhost:6443"'
        )
    )
    assert (
        "registries:\n  incubator:\n    protocol: github\n    uri: github.com/ksonnet/parts/tree/master/incubator\n"
        in (tmp_path / "x/app.yaml").read_text()
    )


@pytest.mark.parametrize(
    ("arguments", "server", "namespace"),
    [
        ([], "https://one.test:6443", "web"),
        (["-n", "mine"], "https://one.test:6443", "mine"),
        (["--context", "other"], "context:other", "default"),
        (["--context=dev", "--namespace=x"], "context:dev", "x"),
        (["--server", "https://s"], "https://s", "default"),
    ],
)
def test_where_the_first_environment_points(
    ks: Run, kubeconfig: Path, arguments: list[str], server: str, namespace: str
) -> None:
    """It points to the server of the current context, to a context by name, or to --server; --env names it."""
    made = ks("init", "x", "--env", "first", *arguments)
    assert made.status == 0
    assert ("Using context" in made.err) == ("--server" not in arguments)
    text = (kubeconfig.parent / "x/app.yaml").read_text()
    assert f"  first:\n    destination:\n      namespace: {namespace}\n      server: {server}\n" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "'init' takes a single argument that names the application we're initializing"),
        (["a", "b"], "'init' takes a single argument that names the application we're initializing"),
        (["x", "--api-spec=foo"], "Invalid API specification 'foo'"),
        (["x", "--api-spec=foo:1"], "Could not parse cluster spec 'foo:1'"),
        (["x", "--context=lost"], "No cluster with name 'gone' exists"),
        (
            ["x", "--env", "a b"],
            'environment name "a b" is not valid; must not contain punctuation, spaces, or begin or end with a slash',
        ),
    ],
)
def test_what_init_refuses(ks: Run, kubeconfig: Path, arguments: list[str], message: str) -> None:
    """A failed `init` leaves nothing behind (ksonnet-rules.md#repair-init)."""
    ran = ks("init", *arguments, *([] if "--context=lost" in arguments else ["--server=s"]))
    assert ran == refused(message)
    assert not (kubeconfig.parent / "x").exists()


def test_an_invalid_swagger_file_leaves_nothing_behind(ks: Run, kubeconfig: Path) -> None:
    """The library is generated before the first file is written."""
    (kubeconfig.parent / "swagger.json").write_text('{"info": {"version": "v1.9.0"}}')
    ran = ks("init", "x", "--server=s", f"--api-spec=file:{kubeconfig.parent / 'swagger.json'}")
    assert "it has no definitions or no paths" in ran.err
    assert not (kubeconfig.parent / "x").exists()


def test_a_folder_that_is_there_is_left_alone(ks: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An existing folder gets ksonnet's message; --dir names another one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x").mkdir()
    assert ks("init", "x", "--server=s") == refused(
        f"Could not create app; directory '{tmp_path / 'x'}' already exists"
    )
    assert ks("init", "x", "--server=s", "--dir", "y/z").status == 0
    assert (tmp_path / "y/z/app.yaml").is_file()


def test_a_library_of_a_swagger_file(ks: Run, app: Path) -> None:
    """--api-spec=file: generates the library of that file's version, and `env update` generates it again."""
    swagger = app / "swagger.json"
    swagger.write_text('{"info": {"version": "v9.8.7"}, "paths": {}, "definitions": {}}')
    assert ks("env", "add", "new", "--server=s", f"--api-spec=file:{swagger}").status == 0
    folder = app / "lib/ksonnet-lib/v9.8.7"
    assert sorted(path.name for path in folder.iterdir()) == ["k.libsonnet", "k8s.libsonnet", "swagger.json"]
    made = (folder / "k.libsonnet").read_text()
    (folder / "k.libsonnet").unlink()
    assert ks("env", "update", "new") == ok()
    assert (folder / "k.libsonnet").read_text() == made
    assert "k8sVersion: v9.8.7" in (app / "app.yaml").read_text()
    swagger.write_text("{}")
    assert ks("env", "add", "x", "--server=s", f"--api-spec=file:{swagger}").status == 1
    assert not (app / "environments/x").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["foo"], 'unknown command "foo" for "ks"; see `ks --help`'),
        (["env", "foo"], "foo is not a valid subcommand; see `ks env --help`"),
        (["env"], "Command 'env' requires a subcommand; see `ks env --help`"),
        (["env", "list", "--bogus=1"], "unknown flag: --bogus; see `ks env list --help`"),
        (
            ["env", "list", "--outputt=json"],
            "unknown flag: --outputt (did you mean --output?); see `ks env list --help`",
        ),
        (["shwo"], 'unknown command "shwo" for "ks" (did you mean show?); see `ks --help`'),
        (["env", "ls"], "ls is not a valid subcommand (did you mean list?); see `ks env --help`"),
        (["env", "lst"], "lst is not a valid subcommand (did you mean list?); see `ks env --help`"),
        (["env", "list", "-x"], "unknown shorthand flag: 'x' in -x; see `ks env list --help`"),
        (["env", "list", "extra"], "'env list' takes zero arguments"),
        (["env", "add"], "'env add' takes exactly one argument, which is the name of the environment"),
    ],
)
def test_usage_errors_are_ksonnets(ks: Run, app: Path, arguments: list[str], message: str) -> None:
    """A usage error has ksonnet's words, the spelling that was probably meant, and the command that prints help."""
    assert ks(*arguments) == refused(message)


def test_version(ks: Run) -> None:
    """The output has ksonnet's three headings."""
    ran = ks("version")
    assert ran.status == 0
    assert [line.split(":")[0] for line in ran.out.splitlines()] == [
        "ksonnet version",
        "jsonnet version",
        "client-go version",
    ]
    assert "scorekit" in ran.out
    assert "gojsonnet" in ran.out
