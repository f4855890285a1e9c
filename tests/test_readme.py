"""The code blocks of the README and of its sister documents do what the text says.

A comment above each shell block says how it is tested:

``<!-- test: server -->``       starts `script/server`; the test gives it a free port in place of 8003
``<!-- test: request -->``      asks that server; a json block below is the answer (numbers to 1e-6, "…" is any string)
``<!-- test: run -->``          runs in the root of the repository and exits 0; a text block right below is its output
``<!-- test: file NAME -->``    above a block of any language: writes it as NAME into the document's own folder
``<!-- test: steps -->``        as `run`, but in that folder, in the order of the document
``<!-- test: serve -->``        starts `scorekit serve` in that folder, on a free port in place of 9000
``<!-- test: ask -->``          asks that server, as `request` does
``<!-- test: image -->``        builds and starts an image; tests/image runs it
``<!-- test: skip REASON -->``  is not run, for the reason given

Commands are found in the environment that runs the tests, whether a document writes `scorekit` or `.venv/bin/scorekit`.
"""

import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

from .ports import free_ports

ROOT = Path(__file__).parents[1]
DOCUMENTS = ("README.md", "docs/serving.md", "docs/testing.md", "docs/ksonnet.md", "docs/image.md")
BIN = Path(sys.executable).parent
PORT, SERVE_PORT = 8003, 9000  # as the documents write them
READY_WITHIN_S, STOPPED_WITHIN_S, RUN_WITHIN_S = 60, 15, 120
HOW = {"server", "request", "run", "file", "steps", "serve", "ask", "image"}
SHELL = {"bash", "sh", "shell", "console"}
BLOCK = re.compile(
    r"(?:<!-- test: (?P<test>.+?) -->\n+)?^```(?P<language>\w*)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A block of a document that is tested, or says why not."""

    line: int
    how: str  # the first word of the comment above it
    argument: str  # the rest of that comment
    code: str
    answer: str | None = None  # the json or text block right below


def read_blocks(text: str) -> list[Block]:
    """Returns the shell blocks of a document, and the blocks of other languages that carry a test comment."""
    blocks = []
    matches = list(BLOCK.finditer(text))
    for match, below in zip_longest(matches, matches[1:]):
        if match["language"] not in SHELL and not match["test"]:
            continue
        how, _, argument = (match["test"] or "").partition(" ")
        answers = below is not None and below["language"] in {"json", "text"} and not below["test"]
        near = below is not None and text.count("\n\n", match.end(), below.start()) <= 2
        answer = below["code"] if below and answers and near else None
        line = text.count("\n", 0, match.start("code"))
        blocks.append(Block(line=line, how=how, argument=argument, code=match["code"], answer=answer))
    return blocks


BLOCKS = {document: read_blocks((ROOT / document).read_text()) for document in DOCUMENTS}


def blocks(how: str) -> pytest.MarkDecorator:
    """Parametrises a test over all blocks that are tested in one way, with the document of each."""
    return pytest.mark.parametrize(
        ("document", "block"),
        [
            pytest.param(document, block, id=f"{document} line {block.line}")
            for document, blocks in BLOCKS.items()
            for block in blocks
            if block.how == how
        ],
    )


def environ() -> dict[str, str]:
    return os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}


def on_path(code: str) -> str:
    """Returns the commands without the folder of the environment, so that the one that runs the tests is used."""
    return re.sub(r"(\.\./)*\.venv/bin/", "", code)


def shell(code: str, folder: Path = ROOT) -> str:
    """Returns what the commands print; fails when one of them does."""
    command = ["bash", "-euo", "pipefail", "-c", on_path(code)]
    done = subprocess.run(
        command, cwd=folder, env=environ(), capture_output=True, text=True, timeout=RUN_WITHIN_S, check=False
    )
    assert done.returncode == 0, f"{code}exit status {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def check_output(block: Block, printed: str) -> None:
    """Fails unless the commands printed what stands below them, if anything does."""
    if block.answer is not None:
        assert printed.strip() == block.answer.strip()


def difference(written: Any, got: Any, at: str = "$") -> str | None:
    """Returns where the answer differs from the document, as a path with both values; None when it does not."""
    if isinstance(written, dict) and isinstance(got, dict) and written.keys() == got.keys():
        return next(filter(None, (difference(written[key], got[key], f"{at}.{key}") for key in written)), None)
    if isinstance(written, list) and isinstance(got, list) and len(written) == len(got):
        pairs = enumerate(zip(written, got, strict=True))
        return next(filter(None, (difference(*pair, f"{at}[{index}]") for index, pair in pairs)), None)
    if written == "…" and isinstance(got, str):
        return None
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (written, got))
    if numbers and math.isclose(written, got, abs_tol=1e-6, rel_tol=0):
        return None
    same = written == got and type(written) is type(got)
    return None if same else f"{at}: the document says {written!r}, got {got!r}"


@contextmanager
def running(command: list[str], folder: Path, output: Path, ready: str) -> Iterator[None]:
    """Runs a server until the end of the block, which begins when the server has printed `ready`."""
    with output.open("wb") as file:
        server = subprocess.Popen(
            command, cwd=folder, env=environ(), stdout=file, stderr=file, stdin=subprocess.DEVNULL
        )
    try:
        deadline = time.monotonic() + READY_WITHIN_S
        while ready not in output.read_text():
            assert server.poll() is None, f"the server ended by itself:\n{output.read_text()}"
            assert time.monotonic() < deadline, f"not ready after {READY_WITHIN_S} s:\n{output.read_text()}"
            time.sleep(0.05)
        yield
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(STOPPED_WITHIN_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
            raise


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a running server, started as the README's server block says."""
    code = next(block.code for block in BLOCKS["README.md"] if block.how == "server")
    assert "script/server" in code, "the server block starts script/server"
    # Tested from another environment than .venv, that one's scorekit serves: the script would first make .venv.
    start = ["script/server"] if BIN == ROOT / ".venv" / "bin" else [str(BIN / "scorekit"), "up", "ksonnet-app"]
    number = free_ports("127.0.0.1", 1)[0]
    output = tmp_path_factory.mktemp("server") / "output"
    with running([*start, "--port", str(number)], ROOT, output, f":{number}/seldon/"):
        yield number


@pytest.fixture(scope="module")
def folder(document: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The document's own folder, after its files have been written and its steps taken."""
    made = tmp_path_factory.mktemp("folder")
    for block in BLOCKS[document]:
        if block.how == "file":
            (made / block.argument).write_text(block.code)
        if block.how == "steps":
            check_output(block, shell(block.code, made))
    return made


@pytest.fixture(scope="module")
def own_port(document: str, folder: Path) -> Iterator[int]:
    """The port of `scorekit serve`, started in the document's own folder as the document says."""
    (code,) = (block.code for block in BLOCKS[document] if block.how == "serve")
    number = free_ports("127.0.0.1", 1)[0]
    command = ["env", "PREDICTIVE_UNIT_GRPC_SERVICE_PORT=0", "PREDICTIVE_UNIT_METRICS_SERVICE_PORT=0"]
    command += [f"PREDICTIVE_UNIT_HTTP_SERVICE_PORT={number}", *on_path(code).split()]
    with running(command, folder, folder / "output", "serve.ready"):
        yield number


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_shell_block_is_tested_or_says_why_not(document: str) -> None:
    """Each document has shell blocks, and each carries one of the test comments, a skip with its reason."""
    assert BLOCKS[document]
    for block in BLOCKS[document]:
        known = block.how in HOW or (block.how == "skip" and block.argument)
        assert known, (
            f"{document} line {block.line}: put <!-- test: {'|'.join(sorted(HOW))}|skip REASON --> above this block"
        )


@pytest.mark.e2e
@blocks("request")
def test_requests_get_the_answer_that_is_printed(document: str, block: Block, port: int) -> None:
    """A request to the server that the README starts gets the answer printed below it."""
    printed = shell(block.code.replace(f"localhost:{PORT}", f"localhost:{port}"))
    if block.answer is not None:
        assert difference(json.loads(block.answer), json.loads(printed)) is None, document


@pytest.mark.e2e
@pytest.mark.parametrize(
    "document",
    [document for document, blocks in BLOCKS.items() if any(block.how == "steps" for block in blocks)],
    scope="module",
)
def test_steps_can_be_taken(document: str, folder: Path) -> None:
    """The steps of a document succeed in a folder of their own, and print what stands below them."""
    assert folder.is_dir(), document


@pytest.mark.e2e
@pytest.mark.parametrize(
    "document",
    [document for document, blocks in BLOCKS.items() if any(block.how == "ask" for block in blocks)],
    scope="module",
)
def test_a_model_of_ones_own_answers_as_is_printed(document: str, own_port: int) -> None:
    """The server that a document starts in its own folder gives the answers printed in the document."""
    for block in BLOCKS[document]:
        if block.how == "ask":
            printed = shell(block.code.replace(f"localhost:{SERVE_PORT}", f"127.0.0.1:{own_port}"))
            assert block.answer is not None
            assert difference(json.loads(block.answer), json.loads(printed)) is None, f"line {block.line}"


@pytest.mark.e2e
@blocks("run")
def test_commands_run(document: str, block: Block) -> None:
    """A command from a document succeeds in the root of the repository and prints what stands below it."""
    check_output(block, shell(block.code))


def test_blocks_are_read_as_written() -> None:
    """Class, argument, line and answer of a block are found; a shell block without a comment has no class."""
    text = "# x\n\n<!-- test: request -->\n```bash\ncurl a\n```\n\nIt answers:\n\n```json\n{}\n```\n\n```sh\nls\n```\n"
    assert read_blocks(text) == [
        Block(line=4, how="request", argument="", code="curl a\n", answer="{}\n"),
        Block(line=14, how="", argument="", code="ls\n"),
    ]
    assert read_blocks("<!-- test: skip needs Docker -->\n\n```bash\ns2i\n```\n")[0].argument == "needs Docker"
    assert read_blocks("<!-- test: file a.py -->\n```python\nx = 1\n```\n")[0].argument == "a.py"
    assert read_blocks("```python\nx = 1\n```\n") == []


@pytest.mark.parametrize(
    ("written", "got", "where"),
    [
        ({"a": [0.1234567]}, {"a": [0.1234569]}, None),
        ({"a": [0.1]}, {"a": [0.2]}, "$.a[0]"),
        ({"a": 1}, {"a": 1, "b": 2}, "$:"),
        ([1, 2], [1], "$:"),
        ({"puid": "…"}, {"puid": "k3j"}, None),
        (True, 1, "$:"),
    ],
)
def test_answers_are_compared_in_value(written: Any, got: Any, where: str | None) -> None:
    """Numbers agree to 1e-6, all else exactly, and a difference says where it is."""
    differs = difference(written, got)
    assert (differs is None) == (where is None)
    assert where is None or (differs or "").startswith(where)
