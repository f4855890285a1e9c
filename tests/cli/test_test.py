"""`scorekit test`, from its arguments to its exit status. tests/e2e/test_verify.py tests real servers."""

import contextlib
import json
import sys
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from scorekit.cli import main
from scorekit.cli.printing import request, response
from scorekit.tester.transport import Answer, Query

from ..ports import free_ports
from ..tester.served import FLOATS, Rows, Served


def scores(rows: Rows) -> Rows:
    return [[1 - row[0] / 10, row[0] / 10] for row in rows]


def short(rows: Rows) -> Rows:
    return [row[:1] for row in scores(rows)]


@contextlib.contextmanager
def served(by: Served) -> Iterator[str]:
    """The address of a server that answers as ``by`` does."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode("utf-8", "surrogatepass")
            answer = by.send(Query(body, self.path.removeprefix("/")))
            self.send_response(answer.status)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: object) -> None:
            pass

        def send_error(self, *args: object, **more: object) -> None:
            """The tester sends the preface of HTTP/2 to find out whether the server speaks gRPC; it gets no answer."""
            self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run the commands in a folder that holds the contract and nothing else."""
    (tmp_path / "contract.json").write_text(json.dumps(FLOATS))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> int:
    return main(["test", "contract.json", *arguments])


def test_a_contract_that_holds_exits_with_zero(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The table is printed, and no file is left behind."""
    with served(Served(scores)) as address:
        assert run(address, "-n", "5") == 0
    out = capsys.readouterr().out
    assert f"contract.json at http://{address}/predict" in out
    assert "all held (15 laws held" in out
    assert [file.name for file in folder.iterdir()] == ["contract.json"]


def test_each_of_several_servers_is_reported_whatever_becomes_of_the_others(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One server keeps the contract, one breaks it, one is missing: status 2, and all three in both reports."""
    (gone,) = free_ports("127.0.0.1", 1)
    with served(Served(scores)) as good, served(Served(short)) as bad:
        urls = [good, bad, f"127.0.0.1:{gone}"]
        status = run(*urls, "--phases", "examples", "--json", "-", "--junit", "out/junit.xml")
    out, err = capsys.readouterr()
    assert status == 2
    one, two, three = json.loads(out)["servers"]
    assert (one["held"], two["held"], "cannot be reached" in three["error"]) == (True, False, True)
    assert (folder / "scorekit-cases" / "server-2" / "target-count.json").exists()
    assert "1 broken: target count" in err
    suites = ET.parse(folder / "out" / "junit.xml").getroot()  # noqa: S314  ours
    assert [(suite.get("failures"), suite.get("errors")) for suite in suites] == [("0", "0"), ("1", "0"), ("0", "1")]


def test_a_broken_law_exits_with_one_and_its_case_can_be_replayed(capsys: pytest.CaptureFixture[str]) -> None:
    """The saved case breaks the law again, and holds once the server is fixed."""
    model = Served(short)
    with served(model) as address:
        assert run(address, "--phases", "examples") == 1
        saved = "scorekit-cases/target-count.json"
        assert f"--replay {saved}" in capsys.readouterr().out
        assert run(address, "--replay", saved) == 1
        assert "row 0 has 1 values; the contract has 2 targets" in capsys.readouterr().out
        model.model = scores
        assert run(address, "--replay", saved) == 0


@pytest.mark.parametrize("flags", [[], ["-t"], ["--endpoint", "transform-input"]])
def test_the_stock_form_prints_what_it_sends(flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """-p prints a block for each of the -n requests, as seldon-core-tester does, and the verdict after them."""
    model = Served(scores)
    with served(model) as address:
        host, port = address.split(":")
        assert run(host, port, "-b", "2", "-n", "3", "-p", *flags) == 0
    blocks = capsys.readouterr().out.split(f"{'-' * 40}\n")
    assert blocks[0] == ""
    assert len(blocks) == 1 + 3
    assert blocks[1].startswith("SENDING NEW REQUEST:\n\n[[")
    assert "\nRECEIVED RESPONSE:\nmeta {\n}\ndata {\n" in blocks[1]
    assert ("tensor {" in blocks[1]) == (flags == ["-t"])


def test_feedback_is_an_endpoint(capsys: pytest.CaptureFixture[str]) -> None:
    """--endpoint send-feedback prints a block for each feedback, and judges that law only."""
    model = Served(scores)
    with served(model) as address:
        assert run(*address.split(":"), "-n", "2", "-p", "--endpoint", "send-feedback") == 0
    out = capsys.readouterr().out
    assert out.count("SENDING NEW REQUEST:") == 2
    assert "all held (1 laws held" in out
    sent = next(query.message for query in model.queries if query.verb == "send-feedback")
    assert {"request", "response", "reward", "truth"} == set(json.loads(sent))


def test_arrays_and_answers_print_as_the_stock_tester_prints_them() -> None:
    """Numbers print as numpy arrays, text as objects; an answer prints as a protocol buffer, or unchanged."""
    assert request({"data": {"ndarray": [[1, 0.5]]}}) == "[[1.  0.5]]"
    assert request({"data": {"ndarray": [[1.0, "a"]]}}) == "[[1.0 'a']]"
    assert request({"request": {"data": {"tensor": {"shape": [1, 1], "values": [2.0]}}}}) == "[[2.]]"
    assert response(Answer(200, b'{"strData": "x"}')) == 'strData: "x"\n'
    assert response(Answer(502, b"<html>")) == "<html>"


@pytest.mark.parametrize(
    ("contract", "arguments", "message"),
    [
        ("{", ["h:1"], "contract.json is not JSON: "),
        ('{\n"features": [\n{"name": "x", "ftype": 1}]}', ["h:1"], "contract.json, line 3: features[0].ftype is 1"),
        (None, ["h:1", "--phases", "dreams"], "--phases: there is no phase 'dreams'"),
        (None, ["h:1", "-n", "0"], "-n is 0; it must be more than 0"),
        (None, ["h:1", "-p", "--json", "-"], "-p and --json - both write to standard output"),
        (None, ["ftp://h"], "ftp://h is not an address"),
        (None, ["h:1", "--replay", "none.json"], "none.json cannot be read"),
    ],
)
def test_what_cannot_be_tested_exits_with_two_and_a_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], contract: str | None, arguments: list[str], message: str
) -> None:
    """The error says where the fault is, without a traceback."""
    if contract is not None:
        (folder / "contract.json").write_text(contract)
    assert run(*arguments) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("package", "flags"), [("hypothesis", []), ("grpc", ["--grpc"]), ("grpc", ["--grpc-port", "1"])]
)
def test_a_missing_package_is_named_with_its_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], package: str, flags: list[str]
) -> None:
    """The error says what to install, before anything is sent."""
    for name in [package, f"{package}.configuration"]:
        monkeypatch.setitem(sys.modules, name, None)
    assert run("127.0.0.1:1", *flags) == 2
    assert "pip install '.[test]' in a checkout of scorekit" in capsys.readouterr().err


def test_without_grpcio_rest_is_tested(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without grpcio the protocols are not compared, and the table says so."""
    monkeypatch.setitem(sys.modules, "grpc", None)
    with served(Served(scores)) as address:
        assert run(address, "--phases", "examples") == 0
    assert "not judged: one protocol only" in capsys.readouterr().out


def test_a_grpc_port_that_a_flag_names_must_speak_grpc(capsys: pytest.CaptureFixture[str]) -> None:
    """Without --grpc-port the tester does without gRPC; with it, a server that does not speak gRPC is an error."""
    (gone,) = free_ports("127.0.0.1", 1)
    with served(Served(scores)) as address:
        assert run(address, "--grpc-port", str(gone)) == 2
    assert "cannot be reached over gRPC" in capsys.readouterr().err


def test_progress_is_shown_on_a_terminal_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A terminal shows the name of each law in turn, on one line; a file gets nothing."""
    with served(Served(scores)) as address:
        run(address, "--phases", "examples")
        assert capsys.readouterr().err == ""
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
        run(address, "--phases", "examples")
    err = capsys.readouterr().err
    assert "\r\x1b[Kexamples: row order" in err
    assert err.endswith("\r\x1b[K")
