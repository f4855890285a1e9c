"""`scorekit contract`: a sample request of a contract, and a contract inferred from a table."""

import json
import shlex
from pathlib import Path

import pytest

from scorekit.cli import main
from scorekit.contract import parse_contract

ROOT = Path(__file__).parents[2]
TABLE = "width,kind,count,zip,class\n1.5,red,3,8001,a\n\n0.5,blue,,8002,b\n2,red,7,8001,a\n"


def test_sample_prints_a_body_and_a_curl_that_sends_it(capsys: pytest.CaptureFixture[str]) -> None:
    """The first line is the body alone; the curl command sends the same body to the server's route."""
    status = main(["contract", "sample", str(ROOT / "contract.json"), "--url", "localhost:8080", "-n", "2"])
    body, _, curl = capsys.readouterr().out.splitlines()
    assert status == 0
    assert json.loads(body)["data"]["tensor"] == {"shape": [2, 2], "values": [5.0, 2.5, 5.0, 2.5]}
    words = shlex.split(curl)
    assert words[:2] == ["curl", "http://localhost:8080/predict"]
    assert words[-2:] == ["-d", body]


def test_sample_of_text_is_an_ndarray(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Text is sent as an ndarray; a quote in a category is escaped for the shell."""
    target = {"name": "y", "ftype": "continuous", "dtype": "FLOAT"}
    feature = {"name": "c", "ftype": "categorical", "values": ["it's"]}
    file = tmp_path / "contract.json"
    file.write_text(json.dumps({"features": [feature], "targets": [target]}))
    assert main(["contract", "sample", str(file)]) == 0
    body, _, curl = capsys.readouterr().out.splitlines()
    assert json.loads(body) == {"data": {"names": ["c"], "ndarray": [["it's"]]}}
    assert shlex.split(curl)[-1] == body


def inferred(tmp_path: Path, capsys: pytest.CaptureFixture[str], *more: str, text: str = TABLE) -> tuple[int, str, str]:
    (tmp_path / "data.csv").write_text(text, encoding="utf-8-sig")
    status = main(["contract", "infer", str(tmp_path / "data.csv"), *more])
    out, err = capsys.readouterr()
    return status, out, err


def test_infer_makes_a_contract(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Types, ranges and categories are those of the data; empty values are skipped; the result is a valid contract."""
    status, out, _ = inferred(tmp_path, capsys, "--skip", "zip")
    assert status == 0
    assert json.loads(out) == {
        "features": [
            {"name": "width", "ftype": "continuous", "dtype": "FLOAT", "range": [0.5, 2.0]},
            {"name": "kind", "ftype": "categorical", "values": ["blue", "red"]},
            {"name": "count", "ftype": "continuous", "dtype": "INT", "range": [3, 7]},
        ],
        "targets": [{"name": "class", "ftype": "categorical", "values": ["a", "b"]}],
    }
    assert parse_contract(out).target_names() == ["class"]


def test_infer_accepts_targets_and_categories_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """There may be several targets, in the order of the flags; numbers can be declared to be categories."""
    flags = ["--target", "class", "--target", "width", "--categorical", "zip"]
    _, out, _ = inferred(tmp_path, capsys, *flags)
    contract = json.loads(out)
    assert [column["name"] for column in contract["targets"]] == ["class", "width"]
    assert contract["features"][2] == {"name": "zip", "ftype": "categorical", "values": [8001, 8002]}


@pytest.mark.parametrize(
    ("text", "flags", "message"),
    [
        ("", [], "a contract needs a header of at least two columns, and a row"),
        (TABLE, ["--target", "klass"], "there is no column 'klass'; there are width, kind, count, zip, class"),
        (TABLE, ["--skip", "klass"], "--skip: there is no column 'klass'"),
        ("a,b\n1\n", [], "row 2 has 1 values; the header has 2"),
        ("a,b\n1,\n2,\n", [], "the column 'b' has no values"),
        ("a,b\nnan,1\n", [], "the column 'a' has values that are not finite"),
        ("a,a\n1,1\n", [], "the header has the column 'a' twice"),
        ("a,b\n1,1\n", ["--target", "a", "--target", "b"], "every column is a target"),
        ("a,b\n" + "".join(f"x{n},1\n" for n in range(1001)), [], "the column 'a' has 1001 different values"),
    ],
)
def test_a_table_that_makes_no_contract_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, flags: list[str], message: str
) -> None:
    """The error is one sentence that names the column or the row."""
    status, out, err = inferred(tmp_path, capsys, *flags, text=text)
    assert (status, out) == (1, "")
    assert message in err
