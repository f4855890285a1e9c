"""The help of every command of `scorekit`: groups, defaults, variables, and examples that run."""

import argparse
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

from scorekit import cli
from scorekit.cli.component import component_of
from scorekit.cli.parser import CommandParser
from scorekit.cli.tester_flags import PHASES
from scorekit.settings.explain import explained
from scorekit.tester.plan import PHASES as TESTER_PHASES

NEEDS_MORE = {"serve": "a port that stays open", "test": "a server", "up": "Envoy", "microservice": "a port"}
"""Commands whose examples are only parsed, and what they would need to run."""


def parsers(parser: CommandParser) -> Iterator[CommandParser]:
    """A parser and all parsers of its subcommands."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                yield from parsers(each)


PARSERS = {parser.prog: parser for parser in parsers(cli.make_parser())}
EXAMPLES = [(prog, example) for prog, parser in PARSERS.items() for example in parser.examples]


def commands_of(example: str) -> list[list[str]]:
    """The `scorekit` commands in a line of shell."""
    lines = re.split(r"&&|[|>]", example)
    return [shlex.split(line)[1:] for line in lines if line.split()[0] == "scorekit"]


@pytest.mark.parametrize("prog", PARSERS)
def test_every_help_ends_with_an_example(prog: str) -> None:
    """The last line of the help is a command line of this very command."""
    last = PARSERS[prog].format_help().splitlines()[-1]
    assert last.startswith(f"  {prog} ")


@pytest.mark.parametrize(("prog", "example"), EXAMPLES)
def test_every_example_parses(prog: str, example: str) -> None:
    """No example has an argument that its command does not take."""
    found = [cli.make_parser().parse(arguments) for arguments in commands_of(example) if "--help" not in arguments]
    assert found or "--help" in example


@pytest.mark.e2e
def test_the_examples_run(tmp_path: Path) -> None:
    """Run in the order of the help, after one another in one folder, they succeed; some need more than that."""
    (tmp_path / "wine.csv").write_text("id,alcohol,kind,quality\n1,12.5,red,good\n2,13.0,white,bad\n")
    ran = []
    for prog, example in EXAMPLES:
        command = prog.split()[1:2]
        if command and command[0] in NEEDS_MORE and "--explain" not in example and " init " not in example:
            continue
        line = example.partition("| docker")[0]
        if line.startswith("scorekit init wine-model") and (tmp_path / "wine-model").exists():
            line = line.partition("&&")[2] or "true"
        line = re.sub(r"\bscorekit\b", f"{shlex.quote(sys.executable)} -m scorekit", line)
        line = re.sub(r"(?<!\S)python(?= )", shlex.quote(sys.executable), line)
        done = subprocess.run(
            ["/bin/sh", "-c", line], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        ran.append(example)
    assert {example.split()[1] for example in ran} >= {"init", "serve", "check", "contract", "dockerfile"}
    assert '"quality"' in (tmp_path / "contract.json").read_text()


def test_the_flags_of_serve_stand_in_groups() -> None:
    """What to serve comes first, then ports; the flags without an effect come last."""
    text = PARSERS["scorekit serve"].format_help()
    headings = [line.removesuffix(":") for line in text.splitlines() if line.endswith(":") and line[0] != " "]
    assert headings == [
        *("options", "what to serve", "ports", "batching", "workers", "limits", "security", "observability"),
        *("flags of seldon-core-microservice without an effect", "Examples"),
    ]


def test_every_flag_of_serve_names_its_default_and_its_variable() -> None:
    """Each setting's help ends with both; for limits they are those that `--explain` reports."""
    helps = {
        action.option_strings[-1]: action.help
        for action in PARSERS["scorekit serve"]._actions
        if action.option_strings and action.help != argparse.SUPPRESS
    }
    for flag in ("--help", "--explain", "--timings"):
        helps.pop(flag)
    for flag, text in helps.items():
        assert re.search(r"\(default: .+; [A-Z_]+\b.*\)$", text or ""), flag
    for limit in explained({"MODEL_NAME": "Any"}, {}):
        flag = f"--{limit.name.replace('_', '-')}"
        if flag in helps and flag != "--workers":  # whose default is a rule, not a number
            variable = limit.source.removeprefix("default (").removesuffix(")")
            assert f"(default: {limit.value}; {variable})" in str(helps[flag])


def test_the_phases_in_the_help_are_the_testers() -> None:
    """They are written down twice, so that the help needs nothing of the tester."""
    assert PHASES == TESTER_PHASES


def test_no_line_of_a_help_is_cut_inside_a_flag() -> None:
    """A flag that stands in a text can be copied from it."""
    for prog, parser in PARSERS.items():
        assert not re.search(r"--[a-z-]*-\n", parser.format_help()), prog


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        (
            "model.joblib",
            "model.joblib is not a component. A component is a folder with a class that loads the model; ",
        ),
        ("there.txt", "there.txt is not a component. A component is a folder with a class that loads the model; "),
        ("Mine.py", "Mine.py is a file; name the folder that it is in: ."),
        ("nothing", "there is neither a folder nor a module nothing; `scorekit init nothing` writes a new component"),
        ("nothing.Model", "there is neither a folder nor a module nothing.Model"),
        ("no-folder", "there is no folder no-folder; `scorekit init no-folder` writes a new component there"),
        ("a/b c", "there is no folder a/b c; `scorekit init 'a/b c'` writes a new component there"),
    ],
)
def test_what_cannot_be_served_leads_to_the_next_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], argument: str, message: str
) -> None:
    """The error says which command or which argument to use instead."""
    monkeypatch.chdir(tmp_path)
    for name in ("Mine.py", "there.txt"):
        (tmp_path / name).touch()
    assert cli.main(["serve", argument]) == 1
    assert capsys.readouterr().err.startswith(f"scorekit: {message}")


@pytest.mark.parametrize("name", ["Mine.py", "Mine/__init__.py", "Mine/Model.py", f"Mine{EXTENSION_SUFFIXES[0]}"])
def test_a_module_of_the_current_folder_can_be_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A module, a package with or without `__init__.py` and a compiled module are found without an import."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).touch()
    argument = "Mine.Model" if "/" in name else "Mine"
    assert component_of(argument, {}) == (tmp_path, {"MODEL_NAME": argument})


def test_a_pickle_leads_to_a_component_that_loads_pickles(capsys: pytest.CaptureFixture[str]) -> None:
    """`scorekit init` is named with the flag that fits."""
    assert cli.main(["serve", "model.joblib"]) == 1
    assert "`scorekit init DIR --model-file joblib` writes one" in capsys.readouterr().err


def test_serve_without_a_component_says_what_to_name(capsys: pytest.CaptureFixture[str]) -> None:
    """The usage error leads to `scorekit serve DIR` and to `scorekit init DIR`."""
    with pytest.raises(SystemExit) as ended:
        cli.main(["serve"])
    assert ended.value.code == 2
    assert capsys.readouterr().err == (
        "scorekit serve: which component? Name its folder: `scorekit serve DIR`. `scorekit init DIR` writes a new one\n"
        "See 'scorekit serve --help'.\n"
    )
