"""The tutorial's own commands, word for word, without a network; and our app, which they made."""

import os
import shlex
import socket
import subprocess
from pathlib import Path

import pytest

from .conftest import Run, files

ROOT = Path(__file__).parents[3]
APP = ROOT / "ksonnet-app"
PACKAGE = ROOT / "src/scorekit/builtin/registries/seldon-core/seldon-core"
COMMANDS = (
    "ks init seldon-ksonnet-ml-score-app --api-spec=version:v1.8.0\n",
    """cd seldon-ksonnet-ml-score-app && \\
    ks registry add seldon-core github.com/SeldonIO/seldon-core/tree/master/seldon-core && \\
    ks pkg install seldon-core/seldon-core@master && \\
    ks generate seldon-core seldon-core \\
    --withApife=false \\
    --withAmbassador=true \\
    --withRbac=true \\
    --singleNamespace=true \\
    --namespace=seldon
""",
    "ks generate seldon-serve-simple-v1alpha2 test-seldon-ml-score-api "
    "--image alexioannides/seldon-ml-score-component\n",
)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks up a name or connects fails the test."""

    def reached(*arguments: object, **named: object) -> None:
        raise AssertionError(f"the network was asked: {arguments} {named}")

    monkeypatch.setattr(socket, "getaddrinfo", reached)
    monkeypatch.setattr(socket.socket, "connect", reached)


@pytest.mark.usefixtures("no_network")
def test_the_tutorials_commands_leave_the_tree_that_ksonnet_leaves(
    ks: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every command succeeds; the files are ksonnet's, the package is vendored under its version, and all renders."""
    monkeypatch.chdir(tmp_path)
    for command in "".join(COMMANDS).replace("\\\n", " ").replace("&&", "\n").strip().split("\n"):
        word, *arguments = shlex.split(command)
        if word == "cd":
            monkeypatch.chdir(arguments[0])
        else:
            ran = ks(*arguments)
            assert (ran.status, ran.out) == (0, ""), ran.err
    found = files(Path.cwd())
    vendored = {f"vendor/seldon-core/seldon-core@1.17.1/{name}": text for name, text in files(PACKAGE).items()}
    assert found.items() >= vendored.items()
    assert set(found) - set(vendored) == {
        *(".gitignore", "app.yaml", ".ksonnet/registries/seldon-core/registry.yaml", "environments/base.libsonnet"),
        *(f"environments/default/{name}" for name in ("main.jsonnet", "params.libsonnet", "globals.libsonnet")),
        *("components/params.libsonnet", "components/seldon-core.jsonnet"),
        "components/test-seldon-ml-score-api.jsonnet",
    }
    shown = ks("show", "default")
    assert shown.status == 0
    assert shown.out.split("\n").count("---") == 17
    assert ks("show", "default", "-c", "test-seldon-ml-score-api").out.startswith(
        "---\napiVersion: machinelearning.seldon.io/v1alpha2\nkind: SeldonDeployment\n"
    )


@pytest.mark.e2e
def test_our_app_is_what_its_script_makes(tmp_path: Path) -> None:
    """`script/regenerate-app` says the tutorial's commands, and gives the committed files, with every proxy shut."""
    script = (ROOT / "script/regenerate-app").read_text()
    assert all(f"\n{command}\n" in script for command in COMMANDS)
    shut = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    made = tmp_path / "app"
    done = subprocess.run(
        [ROOT / "script/regenerate-app", made], env={**os.environ, **shut}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    committed = files(APP)
    assert committed.pop("images.yaml").startswith("# For `scorekit up`")
    ignored = (".ks_environment", "app.override.yaml", "lib/", ".ksonnet/registries/")
    assert {name: text for name, text in committed.items() if not name.startswith(ignored)} == files(made)


@pytest.mark.e2e
def test_the_script_does_not_write_over_a_folder(tmp_path: Path) -> None:
    """A folder that is named must not be there."""
    (tmp_path / "file").write_text("kept")
    done = subprocess.run([ROOT / "script/regenerate-app", tmp_path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        1,
        f"regenerate-app: {tmp_path} is there already; name a folder that is not\n",
    )
    assert (tmp_path / "file").read_text() == "kept"


def test_all_environments_of_our_app_render_alike(ks: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """minikube and gke are contexts of kubectl's; nothing but the destination differs."""
    monkeypatch.chdir(APP)
    shown = ks("show", "default")
    assert shown.status == 0
    assert ks("show", "minikube") == shown
    assert ks("show", "gke") == shown
    listed = ks("env", "list").out
    assert [line.split() for line in listed.splitlines()[2:]] == [
        ["default", "v1.8.0", "seldon", "https://localhost:6443"],
        ["gke", "v1.8.0", "seldon", "context:gke"],
        ["minikube", "v1.8.0", "seldon", "context:minikube"],
    ]
