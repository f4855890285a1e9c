"""`ks env …`."""

from pathlib import Path

import pytest

from .conftest import Run, files, info, ok, refused

HEAD = "NAME    OVERRIDE KUBERNETES-VERSION NAMESPACE SERVER\n====    ======== ================== ========= ======\n"


def made(name: str, namespace: str, server: str, spec: str = "version:v1.8.0") -> str:
    return info(
        f'Creating environment "{name}" with namespace "{namespace}", '
        f'pointing to "{spec}" cluster at address "{server}"'
    )


def test_add_list_and_describe(ks: Run, app: Path) -> None:
    """An environment `us/west` is a folder in the folder `us`."""
    assert ks("env", "add", "us/west", "--server", "https://w", "--api-spec=version:v1.9.5") == ok(
        err=made("us/west", "default", "https://w", "version:v1.9.5")
    )
    assert ks("env", "list") == ok(
        HEAD + "default          v1.8.0             seldon    https://example.test\n"
        "us/west          v1.9.5             default   https://w\n"
    )
    assert ks("env", "describe", "us/west") == ok(
        "name: us/west\nkubernetesversion: v1.9.5\npath: us/west\ndestination:\n  server: https://w\n"
        "  namespace: default\ntargets: []\nlibraries: {}\n"
    )
    assert ks("env", "list", "-o", "json").out.startswith(
        '{\n\t"kind": "envList",\n\t"data": [\n\t\t{\n\t\t\t"kubernetes-version": "v1.8.0",\n\t\t\t"name": "default",'
    )
    new, old = app / "environments/us/west", app / "environments/default"
    assert files(new) == files(old)


def test_a_context_is_kept_by_its_name(ks: Run, app: Path) -> None:
    """app.yaml keeps the name of a context, which need not be in the kubeconfig, so everybody can use the app."""
    assert ks("env", "add", "gke", "--context", "gke-context", "-n", "prod") == ok(
        err="level=warning msg=\"context 'gke-context' does not exist in the kubeconfig file; "
        'the environment keeps its name"\n' + made("gke", "prod", "context:gke-context")
    )
    assert "      server: context:gke-context\n" in (app / "app.yaml").read_text()
    assert ks("env", "set", "gke", "--context", "other") == ok()
    assert "      server: context:other\n" in (app / "app.yaml").read_text()
    assert ks("env", "set", "gke", "--context", "other", "--server=x").status == 1


def test_set_renames_and_changes_at_once(ks: Run, app: Path) -> None:
    """Entry, folder and current environment get the new name (ksonnet-rules.md#repair-env-rename)."""
    assert ks("env", "current", "--set", "default") == ok()
    assert ks("env", "set", "default", "--name", "eu/prod", "--namespace", "ns", "--server", "s") == ok(
        err=info('Setting environment name from "default" to "eu/prod"')
        + info('Successfully moved "default" to "eu/prod"')
    )
    assert (app / "app.yaml").read_text() == (
        "apiVersion: 0.3.0\nenvironments:\n  eu/prod:\n    destination:\n      namespace: ns\n      server: s\n"
        "    k8sVersion: v1.8.0\n    path: eu/prod\nkind: ksonnet.io/app\nname: app\nversion: 0.0.1\n"
    )
    assert not (app / "environments/default").exists()
    assert len(files(app / "environments/eu/prod")) == 3
    assert ks("env", "current") == ok("eu/prod\n")
    assert ks("show") == ok()


def test_current_is_set_and_unset(ks: Run, app: Path) -> None:
    """--unset works (ksonnet-rules.md#repair-env-unset); the file has the name without a line end."""
    assert ks("env", "current") == ok("\n")
    assert ks("env", "current", "--set", "default") == ok()
    assert (app / ".ks_environment").read_text() == "default"
    assert ks("env", "current", "--unset") == ok()
    assert not (app / ".ks_environment").exists()
    assert ks("env", "current", "--set", "x") == refused('environment "x" does not exist')


def test_targets(ks: Run, app: Path) -> None:
    """Targets must be modules that exist; without --module they are removed."""
    ks("module", "create", "a.b")
    assert ks("env", "targets", "default", "--module", "/", "--module", "a.b") == ok()
    assert "    targets:\n    - /\n    - a.b\n" in (app / "app.yaml").read_text()
    assert ks("module", "list", "--env", "default") == ok("MODULE\n======\n/\na.b\n")
    assert ks("env", "targets", "default", "--module", "x") == refused('unable to find module "x"')
    assert ks("env", "targets", "default") == ok()
    assert "targets" not in (app / "app.yaml").read_text()


def test_rm_removes_the_folder_and_empty_ones_above(ks: Run, app: Path) -> None:
    """`rm` removes the folder and empty ones above it; an environment inside of it stays."""
    for name in ("us", "us/west", "us/east"):
        ks("env", "add", name, "--server=s")
    path = app / "environments/us"
    assert ks("env", "rm", "us") == ok(
        err=info(f'Deleting environment "us" with metadata at path "{path}"')
        + info("Successfully removed environment 'us'")
    )
    assert sorted(each.name for each in path.iterdir()) == ["east", "west"]
    ks("env", "rm", "us/east")
    ks("env", "rm", "us/west")
    assert not path.exists()
    assert ks("env", "list").out.count("\n") == 3


def test_overrides(ks: Run, app: Path) -> None:
    """-o writes app.override.yaml, whose values win; the file is removed with its last entry."""
    before = (app / "app.yaml").read_text()
    assert ks("env", "set", "default", "-o", "--server", "mine") == ok()
    assert (app / "app.yaml").read_text() == before
    assert (app / "app.override.yaml").read_text() == (
        "apiVersion: 0.3.0\nenvironments:\n  default:\n    destination:\n      namespace: seldon\n      server: mine\n"
        "    k8sVersion: v1.8.0\n    path: default\nkind: ksonnet.io/app-override\n"
    )
    assert ks("env", "list") == ok(HEAD + "default *        v1.8.0             seldon    mine\n")
    ran = ks("env", "rm", "default", "-o")
    assert ran.status == 0
    assert not (app / "app.override.yaml").exists()
    assert (app / "environments/default/main.jsonnet").exists()  # the primary's still
    assert ks("env", "add", "own", "--server=s", "-o").status == 0
    assert ks("env", "list").out.endswith("own     *        v1.8.0             default   s\n")
    assert "own" not in (app / "app.yaml").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["add", "default", "--server=s"], 'environment "default" already exists'),
        (["add", "x"], "No current context found. Make sure a kubeconfig file is present"),
        (
            ["add", "../x", "--server=s"],
            'environment name "../x" is not valid; must not contain punctuation, spaces, or begin or end with a slash',
        ),
        (["set", "x", "--name", "y"], 'environment "x" was not found'),
        (["set", "default", "--name", "taken"], 'Failed to update "default"; environment "taken" exists'),
        (["describe", "x"], 'environment "x" was not found'),
        (["describe"], "env describe <environment>"),
        (["targets", "x"], 'environment "x" was not found'),
        (["update", "x"], 'environment "x" was not found'),
        (["current", "--set", "a", "--unset"], "set and unset are exclusive"),
        (["list", "-o", "xml"], 'detecting output format: unknown output format "xml"'),
    ],
)
def test_what_is_refused(ks: Run, app: Path, arguments: list[str], message: str) -> None:
    """An invalid request gets ksonnet's message, and no file changes."""
    ks("env", "add", "taken", "--server=s")
    before = files(app)
    ran = ks("env", *arguments)
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.endswith(refused(message).err)
    assert files(app) == before


def test_an_app_that_cannot_be_written_says_so(ks: Run, app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is one line with the system's reason, and existing files stay complete."""
    before = (app / "app.yaml").read_text()

    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    assert ks("env", "set", "default", "--server", "new") == refused(
        "app.yaml cannot be written: No space left on device"
    )
    assert (app / "app.yaml").read_text() == before
    assert not [path for path in app.iterdir() if path.name.startswith(".ks-")]


@pytest.mark.parametrize("path", ["..", "../..", "a/../..", "."])
def test_a_path_that_leads_out_is_refused(ks: Run, app: Path, path: str) -> None:
    """An app from somebody else cannot make `env rm` remove files outside of it."""
    spec = app / "app.yaml"
    spec.write_text(spec.read_text().replace("path: default", f"path: {path}"))
    before = files(app.parent)
    for arguments in (["rm", "default"], ["set", "default", "--name", "x"]):
        assert ks("env", *arguments).status == 1
        assert files(app.parent) == before
