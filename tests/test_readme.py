"""The README's code blocks do what it says. A comment above each shell block says how that is tested:

``<!-- test: server -->``       starts `script/server`; the test gives it a free port in place of 8003
``<!-- test: request -->``      asks that server; a json block below is the answer (numbers to 1e-6, "…" is any string)
``<!-- test: run -->``          exits 0; a text block right below is what it prints
``<!-- test: steps -->``        as `run`, but in a folder of its own, before the next
``<!-- test: serve -->``        starts `scorekit serve` in that folder, on a free port in place of 9000
``<!-- test: ask -->``          asks that server, as `request` does
``<!-- test: image -->``        makes and starts an image; tests/image runs it
``<!-- test: skip REASON -->``  is not run, for the reason given
"""

import json
import math
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
BIN = Path(sys.executable).parent
PORT, SERVE_PORT = 8003, 9000  # as the README writes them
READY_WITHIN_S, STOPPED_WITHIN_S, RUN_WITHIN_S = 60, 15, 120
HOW = {"server", "request", "run", "steps", "serve", "ask", "image"}
SHELL = {"bash", "sh", "shell", "console"}
BLOCK = re.compile(
    r"(?:<!-- test: (?P<test>.+?) -->\n+)?^```(?P<language>\w*)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Block:
    line: int
    how: str
    reason: str
    code: str
    answer: str | None  # the json or text block right below


def shell_blocks(text: str) -> list[Block]:
    found = []
    matches = list(BLOCK.finditer(text))
    for match, below in zip_longest(matches, matches[1:]):
        if match["language"] in SHELL:
            how, _, reason = (match["test"] or "").partition(" ")
            close = below is not None and below["language"] in {"json", "text"} and "```" not in below["code"]
            near = below is not None and text.count("\n\n", match.end(), below.start()) <= 2 and not below["test"]
            answer = below["code"] if below and close and near else None
            found.append(Block(text.count("\n", 0, match.start("code")), how, reason, match["code"], answer))
    return found


BLOCKS = shell_blocks(README.read_text()) if README.exists() else []


def blocks(how: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "block", [pytest.param(block, id=f"line {block.line}") for block in BLOCKS if block.how == how]
    )


def environ() -> dict[str, str]:
    return os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}


def shell(code: str, folder: Path = ROOT) -> str:
    command = ["bash", "-euo", "pipefail", "-c", code]
    done = subprocess.run(
        command, cwd=folder, env=environ(), capture_output=True, text=True, timeout=RUN_WITHIN_S, check=False
    )
    assert done.returncode == 0, f"{code}exit status {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def difference(told: Any, got: Any, at: str = "$") -> str | None:
    """Where the answer is not what the README tells, as a path; None when it is."""
    if isinstance(told, dict) and isinstance(got, dict) and told.keys() == got.keys():
        return next(filter(None, (difference(told[key], got[key], f"{at}.{key}") for key in told)), None)
    if isinstance(told, list) and isinstance(got, list) and len(told) == len(got):
        pairs = enumerate(zip(told, got, strict=True))
        return next(filter(None, (difference(*pair, f"{at}[{index}]") for index, pair in pairs)), None)
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (told, got))
    same = math.isclose(told, got, abs_tol=1e-6, rel_tol=0) if numbers else told == got and type(told) is type(got)
    return None if same or (told == "…" and isinstance(got, str)) else f"{at}: the README tells {told!r}, got {got!r}"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a running server, started as the README's server block says."""
    code = next(block.code for block in BLOCKS if block.how == "server")
    assert "script/server" in code, "the server block starts script/server"
    # Tested from another environment than .venv, that one's scorekit serves: the script would first make .venv.
    start = ["script/server"] if BIN == ROOT / ".venv" / "bin" else [str(BIN / "scorekit"), "up", "ksonnet-app"]
    number = free_port()
    output = tmp_path_factory.mktemp("server") / "output"
    with output.open("wb") as file:
        server = subprocess.Popen(
            [*start, "--port", str(number)], cwd=ROOT, env=environ(), stdout=file, stderr=file, stdin=subprocess.DEVNULL
        )
    try:
        deadline = time.monotonic() + READY_WITHIN_S
        while f":{number}/seldon/" not in output.read_text():
            assert server.poll() is None, f"the server ended by itself:\n{output.read_text()}"
            assert time.monotonic() < deadline, f"no address after {READY_WITHIN_S} s:\n{output.read_text()}"
            time.sleep(0.05)
        yield number
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(STOPPED_WITHIN_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
            raise


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of `scorekit serve`, started as the README says in a folder where its steps were taken."""
    folder = tmp_path_factory.mktemp("own")
    for block in BLOCKS:
        if block.how == "steps":
            shell(block.code.replace(".venv/bin/", f"{BIN}/"), folder)
    (code,) = (block.code for block in BLOCKS if block.how == "serve")
    number, output = free_port(), folder / "output"
    ports = {"PREDICTIVE_UNIT_HTTP_SERVICE_PORT": str(number), "PREDICTIVE_UNIT_GRPC_SERVICE_PORT": "0"}
    ports["PREDICTIVE_UNIT_METRICS_SERVICE_PORT"] = "0"
    with output.open("wb") as file:
        server = subprocess.Popen(
            code.replace(".venv/bin/", f"{BIN}/").split(), cwd=folder, env=environ() | ports, stdout=file, stderr=file
        )
    try:
        deadline = time.monotonic() + READY_WITHIN_S
        while "serve.ready" not in output.read_text():
            assert server.poll() is None, f"the server ended by itself:\n{output.read_text()}"
            assert time.monotonic() < deadline, f"not ready after {READY_WITHIN_S} s:\n{output.read_text()}"
            time.sleep(0.05)
        yield number
    finally:
        server.terminate()
        server.wait(STOPPED_WITHIN_S)


def test_every_shell_block_is_tested_or_says_why_not() -> None:
    """The README has shell blocks, and each carries one of the eight test comments, a skip with its reason."""
    assert BLOCKS
    for block in BLOCKS:
        known = block.how in HOW or (block.how == "skip" and block.reason)
        assert known, (
            f"README.md line {block.line}: put <!-- test: {'|'.join(sorted(HOW))}|skip REASON --> above this block"
        )


@pytest.mark.e2e
@blocks("request")
def test_requests_get_the_answer_that_is_told(block: Block, port: int) -> None:
    """A request from the README, sent to the server that the README starts, gets the answer printed below it."""
    printed = shell(block.code.replace(f"localhost:{PORT}", f"localhost:{port}"))
    if block.answer is not None:
        assert difference(json.loads(block.answer), json.loads(printed)) is None


@pytest.mark.e2e
@blocks("ask")
def test_a_model_of_ones_own_answers_as_is_told(block: Block, own: int) -> None:
    """From `scorekit init` to an answered curl by the README's own steps."""
    printed = shell(block.code.replace(f"localhost:{SERVE_PORT}", f"127.0.0.1:{own}"))
    assert block.answer is not None
    assert difference(json.loads(block.answer), json.loads(printed)) is None


@pytest.mark.e2e
@blocks("run")
def test_commands_run(block: Block) -> None:
    """A command from the README succeeds and prints what stands below it."""
    printed = shell(block.code)
    if block.answer is not None:
        assert printed.strip() == block.answer.strip()


def test_blocks_are_read_as_written() -> None:
    """Class, reason, line and answer of a block are found; a block without a comment has no class."""
    text = "# x\n\n<!-- test: request -->\n```bash\ncurl a\n```\n\nIt answers:\n\n```json\n{}\n```\n\n```sh\nls\n```\n"
    assert shell_blocks(text) == [Block(4, "request", "", "curl a\n", "{}\n"), Block(14, "", "", "ls\n", None)]
    assert shell_blocks("<!-- test: skip needs Docker -->\n\n```bash\ns2i\n```\n")[0].reason == "needs Docker"


@pytest.mark.parametrize(
    ("told", "got", "where"),
    [
        ({"a": [0.1234567]}, {"a": [0.1234569]}, None),
        ({"a": [0.1]}, {"a": [0.2]}, "$.a[0]"),
        ({"a": 1}, {"a": 1, "b": 2}, "$:"),
        ([1, 2], [1], "$:"),
        ({"puid": "…"}, {"puid": "k3j"}, None),
        (True, 1, "$:"),
    ],
)
def test_answers_are_compared_in_value(told: Any, got: Any, where: str | None) -> None:
    """Numbers agree to 1e-6, all else exactly, and a difference says where it is."""
    found = difference(told, got)
    assert (found is None) == (where is None)
    assert where is None or (found or "").startswith(where)
