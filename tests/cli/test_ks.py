"""The `ks` command: stdout, stderr, exit status and time."""

import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scorekit.cli import ks

ROOT = Path(__file__).parents[2]
APP = ROOT / "tests/data/ksonnet-0.13-app"
COMPONENT = "test-seldon-ml-score-api"


@pytest.fixture(autouse=True)
def inside_the_app(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(APP)


def test_show_prints_yaml(capsys: pytest.CaptureFixture[str]) -> None:
    """The default format is YAML, which begins with the SeldonDeployment."""
    assert ks.main(["show", "default"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(
        "---\napiVersion: machinelearning.seldon.io/v1\nkind: SeldonDeployment\nmetadata:\n  labels:\n"
    )
    assert err == ""


def test_show_prints_the_golden_json(capsys: pytest.CaptureFixture[str]) -> None:
    """The output is ksonnet 0.13.1's, byte for byte."""
    assert ks.main(["show", "default", "-c", COMPONENT, "-o", "json"]) == 0
    assert capsys.readouterr().out == (ROOT / "tests/golden/ksonnet-0.13-app.json").read_text()


def test_the_app_is_found_from_below_and_from_elsewhere(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The root is the nearest folder upwards from here or --dir with an app.yaml (ksonnet-rules.md#app-folder)."""
    monkeypatch.chdir(APP / "components")
    assert ks.main(["show", "default"]) == 0
    here = capsys.readouterr().out
    monkeypatch.chdir(tmp_path)
    assert ks.main(["--dir", str(APP / "environments"), "show", "default"]) == 0
    assert ks.main(["show", "default", "--dir", str(APP)]) == 0
    assert capsys.readouterr().out == here * 2


def test_the_current_environment_stands_in_for_a_missing_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without ENV the environment in `.ks_environment` is used (ksonnet-rules.md#app-folder)."""
    copy = shutil.copytree(APP, tmp_path / "app")
    (copy / ".ks_environment").write_text("default")
    monkeypatch.chdir(copy)
    assert ks.main(["show"]) == 0
    assert COMPONENT in capsys.readouterr().out


def test_variables_and_libraries_of_the_command_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """-V, -A, their files and -J reach the program; a value may hold `=` and `,`."""
    copy = shutil.copytree(APP, tmp_path / "app")
    (copy / "environments/default/main.jsonnet").write_text(
        'function(a, b) { x: { kind: "X", v: [a, b, std.extVar("c"), std.extVar("d"), import "e.libsonnet"] } }'
    )
    (tmp_path / "text").write_text("from a file")
    (tmp_path / "more").mkdir()
    (tmp_path / "more/e.libsonnet").write_text('"from -J"')
    monkeypatch.chdir(tmp_path)
    arguments = ["-A", "a=1", "--tla-str-file", "b=text", "-V", "c=k=v,w", "--ext-str-file", "d=text", "-J", "more"]
    assert ks.main(["show", "default", "--dir", "app", "-o", "json", *arguments]) == 0
    [item] = json.loads(capsys.readouterr().out)["items"]
    assert item["v"] == ["1", "from a file", "k=v,w", "from a file", "from -J"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show"], "environment is not set; use `env list` to see available environments"),
        (["show", "x"], 'find objects: get modules: environment "x" was not found; this app has: default'),
        (
            ["show", "default", "-c", f"{COMPONENT},typo"],
            f'find objects: there is no component "typo" in environment "default"; it has: {COMPONENT}',
        ),
        (["show", "default", "-o", "xml"], "Unknown --format: xml"),
        (["show", "default", "-V", "novalue"], '-V: unable to find key and value in "novalue"'),
        (["show", "default", "-A", "a-b=1"], '-A: "a-b" is not a valid name of an argument'),
        (["env", "list", "-o", "wide"], 'detecting output format: unknown output format "wide"'),
        (["component", "list", "--module", "x"], 'unable to find module "x"'),
        (
            ["show", "default", "--dir", "/"],
            "finding app root from starting path: /: unable to find ksonnet project; no app.yaml there or above: "
            "name another folder",
        ),
    ],
)
def test_errors_are_one_line_and_exit_status_1(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """An error is a line of logrus on stderr, with nothing on stdout (ksonnet-rules.md#commands)."""
    assert ks.main(arguments) == 1
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"level=error msg={json.dumps(message)}\n")


def test_no_app_at_all(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The error is ksonnet's sentence and what to do."""
    monkeypatch.chdir(tmp_path)
    assert ks.main(["show", "default"]) == 1
    assert capsys.readouterr().err == (
        'level=error msg="finding app root from starting path: : unable to find ksonnet project; no app.yaml '
        'here or above: go to the app, or use --dir"\n'
    )


@pytest.mark.parametrize("arguments", [["apply", "default"], ["show", "--bogus"], []])
def test_usage_errors_have_the_same_form(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A usage error has the same form and exit status 1, not argparse's 2."""
    assert ks.main(arguments) == 1
    assert capsys.readouterr().err.startswith('level=error msg="')


def test_tables(capsys: pytest.CaptureFixture[str]) -> None:
    """`env list` and `component list` print ksonnet's tables."""
    assert ks.main(["env", "list"]) == 0
    assert ks.main(["component", "list"]) == 0
    assert capsys.readouterr().out == (
        "NAME    OVERRIDE KUBERNETES-VERSION NAMESPACE SERVER\n"
        "====    ======== ================== ========= ======\n"
        "default          v1.8.0             seldon    https://localhost:6443\n"
        "COMPONENT                TYPE    APIVERSION KIND NAME\n"
        "=========                ====    ========== ==== ====\n"
        "test-seldon-ml-score-api jsonnet\n"
    )


def test_warnings_go_to_stderr(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A pinned package that is not vendored gives a warning; what does not need it renders."""
    copy = shutil.copytree(APP, tmp_path / "app")
    with (copy / "app.yaml").open("a") as spec:
        spec.write("libraries: {r/p: {name: p, registry: r, version: v1}}\n")
    monkeypatch.chdir(copy)
    assert ks.main(["show", "default"]) == 0
    assert capsys.readouterr().err == (
        'level=warning msg="skipping missing path vendor/r/p@v1. Please run `ks upgrade`."\n'
    )


def test_a_base_install_says_what_to_install(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the extra `ks` the error is one sentence without a traceback."""
    monkeypatch.setattr(ks.app_folder, "_NEEDS", {"no_such_module": "gojsonnet"})
    assert ks.main(["show", "default"]) == 1
    assert capsys.readouterr().err == (
        "level=error msg=\"ks needs gojsonnet: pip install '.[ks]' in a checkout of scorekit\"\n"  #
    )


def test_render_app_is_what_show_prints() -> None:
    """The function for other commands gives the objects in the order of `ks show`."""
    golden = json.loads((ROOT / "tests/golden/ksonnet-0.13-app.json").read_text())["items"]
    assert ks.render_app(APP, "default") == golden
    assert ks.render_app(APP, "default", [COMPONENT]) == golden


def test_show_is_quick_and_imports_nothing_heavy() -> None:
    """It takes under half a second of CPU time, best of three, and never imports numpy or anything that serves."""
    program = (
        "import sys; from scorekit.cli.ks import main; status = main(['show', 'default']); "
        "heavy = {'numpy', 'uvloop', 'asyncio', 'scorekit.serve', 'scorekit.codec'} & set(sys.modules); "
        "sys.exit(status or (str(heavy) if heavy else 0))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    took = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-c", program]
        app = ROOT / "ksonnet-app"
        done = subprocess.run(command, cwd=app, env=environment, capture_output=True, text=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        assert done.returncode == 0, done.stderr
    assert min(took) < 0.5
