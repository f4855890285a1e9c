"""The parser of the command lines: suggestions, errors of two lines, examples in help."""

import pytest

from scorekit import cli
from scorekit.cli.parser import CommandParser, suggestion


@pytest.fixture
def parser() -> CommandParser:
    """A parser with a command, a group of commands, and flags of each kind."""
    parser = CommandParser(prog="tool")
    parser.add_argument("--version", action="version", version="tool 1")
    commands = parser.commands()
    run = commands.add_parser(
        "run",
        description="Words that are wrapped " * 10,
        examples=["tool run DIR --level low", "tool run . --size=3"],
        when_missing="which folder? Name one: tool run DIR",
    )
    run.add_argument("directory", metavar="DIR")
    run.add_argument("--level", choices=("low", "high"))
    run.add_argument("--size", type=int)
    run.add_argument("--secret", help="==SUPPRESS==")
    group = commands.add_parser("group").commands()
    group.add_parser("make").add_argument("what", choices=("cake", "tea"), metavar="WHAT")
    passing = commands.add_parser("passing")
    passing.set_defaults(surplus=[])
    return parser


@pytest.mark.parametrize(
    ("line", "prog", "sentence"),
    [
        ("rnu", "tool", "unknown command: rnu (did you mean run?)"),
        ("xyz", "tool", "unknown command: xyz"),
        ("--verison", "tool", "unknown flag: --verison (did you mean --version?)"),
        ("", "tool", "a command is missing: one of run, group, passing"),
        ("group", "tool group", "a command is missing: one of make"),
        ("group mkae", "tool group", "unknown command: mkae (did you mean make?)"),
        ("group make caek", "tool group make", "WHAT is 'caek'; it must be one of cake, tea (did you mean cake?)"),
        ("run", "tool run", "which folder? Name one: tool run DIR"),
        ("group make", "tool group make", "WHAT is missing"),
        ("run --leevl low", "tool run", "unknown flag: --leevl (did you mean --level?)"),
        ("run . --leevl=low", "tool run", "unknown flag: --leevl (did you mean --level?)"),
        ("run . --level lwo", "tool run", "--level is 'lwo'; it must be one of low, high (did you mean low?)"),
        ("run . --secert", "tool run", "unknown flag: --secert"),
        ("run . -x", "tool run", "unknown flag: -x"),
        ("run . more", "tool run", "unexpected argument: more"),
        ("run . --size x", "tool run", "argument --size: invalid int value: 'x'"),
        ("run . --size", "tool run", "argument --size: expected one argument"),
    ],
)
def test_an_error_is_two_lines_of_the_innermost_command(
    parser: CommandParser, line: str, prog: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first line says what is wrong, the second where the help is; no usage stands above, and the status is 2."""
    with pytest.raises(SystemExit) as ended:
        parser.parse(line.split())
    assert ended.value.code == 2
    assert capsys.readouterr() == ("", f"{prog}: {sentence}\nSee '{prog} --help'.\n")


def test_unknown_arguments_go_to_a_command_that_judges_them_itself(parser: CommandParser) -> None:
    """They are its ``surplus``; the parser in the result is that of the innermost command."""
    arguments = parser.parse(["passing", "--what", "ever"])
    assert arguments.surplus == ["--what", "ever"]
    assert arguments.parser.prog == "tool passing"


def test_a_help_ends_with_its_examples(parser: CommandParser, capsys: pytest.CaptureFixture[str]) -> None:
    """Examples stand as they are written; the text above is wrapped."""
    with pytest.raises(SystemExit) as ended:
        parser.parse(["run", "--help"])
    assert ended.value.code == 0
    help_text = capsys.readouterr().out
    assert help_text.endswith("\n\nExamples:\n  tool run DIR --level low\n  tool run . --size=3\n")
    assert max(map(len, help_text.splitlines())) <= 80


def test_a_suggestion_is_made_only_of_what_is_alike() -> None:
    """Where nothing is like the word, nothing is suggested."""
    assert suggestion("srve", ["serve", "test"]) == " (did you mean serve?)"
    assert suggestion("deploy", ["serve", "test"]) == ""


def test_scorekit_alone_prints_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a command it says which ones there are, and succeeds."""
    assert cli.main([]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("usage: scorekit ")
    assert "serve" in out
    assert err == ""


def test_a_misspelt_command_is_suggested(capsys: pytest.CaptureFixture[str]) -> None:
    """`scorekit serv` leads to `serve`."""
    with pytest.raises(SystemExit) as ended:
        cli.main(["serv", "model"])
    assert ended.value.code == 2
    assert capsys.readouterr().err == (
        "scorekit: unknown command: serv (did you mean serve?)\nSee 'scorekit --help'.\n"
    )
