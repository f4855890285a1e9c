"""The help of `ks`: what a person reads who does not know a command."""

import argparse
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scorekit.cli import ks as ks_command
from scorekit.cli.ks.commands import KsParser
from scorekit.manifests.documents import documents

from .conftest import Run


def parsers(parser: argparse.ArgumentParser) -> Iterator[KsParser]:
    """A parser and those of all commands below it."""
    assert isinstance(parser, KsParser)
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from parsers(below)


COMMANDS = list(parsers(ks_command._parser()))


@pytest.mark.parametrize("parser", COMMANDS, ids=lambda parser: str(parser.prog))
def test_the_help_of_every_command_ends_with_an_example(parser: KsParser) -> None:
    """A command has examples of itself that its parser accepts; a group has none, only its commands."""
    is_group = any(isinstance(action, argparse._SubParsersAction) for action in parser._actions)
    if is_group and parser.prog != "ks":
        assert not parser.examples
        return
    assert parser.examples
    assert parser.format_help().endswith(f"  {parser.examples[-1]}\n")
    for example in parser.examples:
        assert f"{example} ".startswith(f"{parser.prog} ")
        ks_command._parser().parse(shlex.split(example)[1:])


@pytest.mark.parametrize("parser", COMMANDS, ids=lambda parser: str(parser.prog))
def test_usage_fits_on_two_lines(parser: KsParser) -> None:
    """The usage names the arguments; the flags are explained below it."""
    assert len(parser.format_usage().splitlines()) <= 2


def test_a_misspelt_flag_of_a_prototype_gets_a_suggestion(ks: Run, app: Path) -> None:
    """The parameters of a prototype are flags, and are suggested like others."""
    ran = ks("generate", "single-port-deployment", "web", "--imag=nginx")
    assert ran.status == 1
    assert "unknown flag: --imag (did you mean --image?)" in ran.err


def test_app_yaml_is_parsed_once_a_command(ks: Run, app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many steps of a command need it."""
    parsed: list[str] = []

    def counted(text: str, where: str) -> list[Any]:
        parsed.append(where)
        return documents(text, where)

    monkeypatch.setattr("scorekit.ks.app.app.documents", counted)
    (app / "app.yaml").write_text((app / "app.yaml").read_text() + "# changed\n")
    assert ks("show", "default").status == 0
    assert parsed == ["app.yaml"]
