"""The verdict, as people and as machines read it."""

import json
import xml.etree.ElementTree as ET

import pytest

from scorekit.errors import SetupError
from scorekit.tester import report
from scorekit.tester.law import Case
from scorekit.tester.laws import BY_NAME
from scorekit.tester.replay import Replay, parse_replay
from scorekit.tester.result import Result

HELD = Result(law=BY_NAME["answered"], judged=3)
BROKEN = Result(
    law=BY_NAME["target range"],
    judged=2,
    broken='target <y> is 2 in "row" 0\x00',
    phase="random",
    case=Case(rows=([1.0, "é"],)),
    more=1,
)
SKIPPED = Result(law=BY_NAME["feedback"], note="not available")
RESULTS = [HELD, BROKEN, SKIPPED]


def test_the_table_shows_what_was_found_and_how_to_try_it_again() -> None:
    """Each law has a line; below a broken one are the fault, the case and the file."""
    lines = report.table(RESULTS, {"target range": "x.json"}).splitlines()
    assert lines[1].split() == ["answered", "3", "held"]
    assert lines[2].split() == ["target", "range", "2", "BROKEN"]
    found = [line.strip() for line in lines[3:6]]
    assert found == [f"{BROKEN.broken} (and 1 more)", 'random: ndarray [[1.0, "é"]]', "--replay x.json"]
    assert lines[6].split() == ["feedback", "0", "not", "available"]


def test_the_summary_names_the_broken_laws() -> None:
    """The summary is one line: what is broken, how many laws held, and how much was sent."""
    assert report.summary(RESULTS, 9, 1.25, 7) == "1 broken: target range (1 laws held, 9 requests, 1.2 s, seed 7)"
    assert report.summary([HELD], 9, 1, 0).startswith("all held")
    assert report.summary([SKIPPED], 9, 1, 0).startswith("nothing was judged")


def test_the_exit_status_is_one_exactly_when_something_is_broken() -> None:
    """A law without a verdict does not fail a build; a broken law does."""
    assert report.exit_status(RESULTS) == 1
    assert report.exit_status([HELD, SKIPPED]) == 0


def test_junit_is_xml_with_a_failure_a_skip_and_an_error() -> None:
    """A server is a suite, a law is a test; a server that could not be tested is an error; no text breaks the XML."""
    one, two = ET.fromstring(report.as_junit([("http://a", RESULTS), ("http://b", "cannot be reached")]))  # noqa: S314  ours
    assert {key: one.get(key) for key in ("tests", "failures", "skipped", "errors")} == {
        "tests": "3", "failures": "1", "skipped": "1", "errors": "0",
    }  # fmt: skip
    assert [case.find("failure") is not None for case in one] == [False, True, False]
    failure, error = one.find("testcase/failure"), two.find("testcase/error")
    assert failure is not None
    assert failure.get("message") == 'target <y> is 2 in "row" 0?'
    assert error is not None
    assert error.get("message") == "cannot be reached"


def test_json_has_verdicts_and_cases() -> None:
    """The JSON report has everything that the table shows."""
    value = json.loads(json.dumps(report.as_json("http://a", RESULTS, 7)))
    assert (value["held"], value["seed"]) == (False, 7)
    assert [law["verdict"] for law in value["laws"]] == ["held", "broken", "not available"]
    assert value["laws"][1]["case"]["rows"] == [[1.0, "é"]]
    assert report.as_json("http://a", "gone", 7)["error"] == "gone"


def test_a_saved_case_is_read_back_as_it_was() -> None:
    """A law, its rows, raw body and endpoint survive the file."""
    for case in (Case(rows=([1.0, "é"], [2, None]), form="tensor"), Case(raw='{"data"', label="cut", kind="count")):
        saved = Replay("answered", case, "transform-input")
        assert parse_replay(saved.text(), "x.json") == saved


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "x.json cannot be replayed: it is not JSON"),
        ("[]", "it names the law None, which does not exist"),
        ('{"law": "gravity", "rows": []}', "it names the law 'gravity'"),
        ('{"law": "answered", "rows": [1]}', "rows must be a list of lists"),
    ],
)
def test_a_file_that_is_not_a_case_is_an_error(text: str, message: str) -> None:
    """The error names the file and what is wrong with it."""
    with pytest.raises(SetupError) as caught:
        parse_replay(text, "x.json")
    assert message in str(caught.value)
