"""The differential suite itself: its table, its golden files, and when two answers are the same."""

import json
from pathlib import Path

import pytest

from . import golden
from .cases import grpc_calls, random_cases, rest_cases
from .compare import ALLOWED, ALLOWED_CALLS, call_differences, differences, expected, unused

ROOT = Path(__file__).parents[2]


def test_the_table_is_large_enough_and_its_ids_are_unique() -> None:
    """There are at least 300 REST cases beside the random ones and 60 gRPC calls, each with its own name."""
    cases, calls = rest_cases(), grpc_calls()
    assert len({case.id for case in cases}) == len(cases) >= 300 + len(list(random_cases()))
    assert len({call.id for call in calls}) == len(calls) >= 60


def test_every_case_is_recorded_and_every_record_has_its_case() -> None:
    """Every case has a recorded answer; after a change of the table run ``python -m tests.differential.record``."""
    assert list(golden.read("rest.json")) == [case.id for case in rest_cases()]
    assert list(golden.read("grpc.json")) == [call.id for call in grpc_calls()]


@pytest.mark.parametrize("name", ["rest.json", "grpc.json"])
def test_golden_files_are_small_valid_and_tell_how_they_were_made(name: str) -> None:
    """A golden file is valid JSON under a megabyte, with a line for each case, the versions and no local path."""
    text = (golden.FOLDER / name).read_text()
    made = json.loads(text, parse_constant=pytest.fail)["made"]
    assert len(text) < 1_000_000
    assert made["versions"]["seldon-core"] == "1.17.1"
    assert "/home/" not in text
    assert "/tmp/" not in text  # noqa: S108  looked for, not written to


def test_no_difference_is_allowed_in_vain() -> None:
    """Each entry of the table of differences changes the expectation of some case."""
    assert unused(golden.read("rest.json")) == []


def test_random_cases_are_the_same_for_the_same_seed() -> None:
    """The random cases are the same on every machine."""
    assert list(random_cases(1, 20)) == list(random_cases(1, 20))
    assert list(random_cases(1, 20)) != list(random_cases(2, 20))


def test_components_exist() -> None:
    """Every case names a class that exists."""
    folder = golden.FOLDER.parent / "components"
    for component in {case.component for case in rest_cases()} | {call.component for call in grpc_calls()}:
        module, _, name = component.rpartition(".")
        assert f"class {name}" in (folder / f"{module or name}.py").read_text()


@pytest.mark.parametrize(
    ("want", "got"),
    [
        ({"status": 200}, {"status": 500}),
        ({"type": "application/json"}, {"type": "text/html"}),
        ({"text": "pong"}, {"text": "ping"}),
        ({"body": {"a": 1}}, {"body": {"a": 1.0}}),
        ({"body": {"a": 1}}, {"body": {"a": True}}),
        ({"body": [1.0]}, {"body": [1.0 + 1e-8]}),
        ({"body": {"a": None}}, {"body": {}}),
        ({"body": {}}, {"body": {"a": None}}),
        ({"body": [1]}, {"body": [1, 2]}),
        ({"body": {"a": 1}}, {"text": "no JSON"}),
        (
            {"body": {"status": {"code": -1, "info": "one", "reason": "MICROSERVICE_BAD_DATA", "status": 1}}},
            {"body": {"status": {"code": -1, "info": "two", "reason": "MICROSERVICE_BAD_DATA", "status": 1}}},
        ),
    ],
)
def test_a_difference_is_found(want: dict[str, object], got: dict[str, object]) -> None:
    """Status, type, members, kinds of numbers and stable texts are compared; each line of the report says where."""
    assert len(differences(want, got)) == 1
    assert differences(want, want) == []


def test_rounding_and_the_prose_of_internal_errors_are_no_difference() -> None:
    """Floats agree within 1e-9; texts of internal errors are not compared, and of others only the stable beginning."""
    assert differences({"body": [0.1]}, {"body": [0.1 + 1e-12]}) == []
    for reason, one, other in [
        ("MICROSERVICE_INTERNAL_ERROR", "a", "b"),
        ("MICROSERVICE_BAD_DATA", "Can't find JSON in data", "Can't find JSON in data: send some"),
    ]:
        told = [{"body": {"status": {"code": -1, "info": i, "reason": reason, "status": 1}}} for i in (one, other)]
        assert differences(*told) == []


def test_a_meant_difference_replaces_what_was_recorded() -> None:
    """NaN is expected as null and an unknown path as 404, whatever the stock wrapper answered."""
    recorded = {"status": 200, "body": [float("nan"), 1.0]}
    assert expected("return/tensor/nan", recorded) == {"status": 200, "body": [None, 1.0]}
    assert expected("route/GET/none", {"status": 500, "type": "application/json"})["status"] == 404
    assert expected("return/tensor/int", recorded) is recorded


def test_a_grpc_fault_needs_a_proper_code() -> None:
    """If the stock wrapper answers UNKNOWN, any other fault is right; otherwise the message is compared."""
    fault = {"code": "UNKNOWN", "details": "Exception calling application: a"}
    assert call_differences(fault, {"code": "INVALID_ARGUMENT"}) == []
    assert call_differences(fault, fault) != []
    assert call_differences(fault, {"code": "OK", "message": {}}) != []
    assert call_differences({"code": "OK", "message": {"a": 1.0}}, {"code": "OK", "message": {"a": 1.0}}) == []


def test_components_that_need_seldon_core_are_known_by_their_module() -> None:
    """Without seldon-core the cases that do not need it still run."""
    folder = golden.FOLDER.parent / "components"
    needing = {path.stem for path in folder.glob("*.py") if "seldon_core" in path.read_text()}
    assert needing == {"seldon_based"}


def test_every_difference_stands_in_the_document() -> None:
    """docs/compatibility.md lists each reason of the table, in the same words."""
    document = " ".join((ROOT / "docs" / "compatibility.md").read_text().split())
    reasons = {allowed.reason for allowed in ALLOWED} | {reason for reason, _ in ALLOWED_CALLS.values()}
    missing = [reason for reason in reasons if reason.lower() not in document.lower()]
    assert not missing


def test_no_meant_difference_over_grpc_is_idle() -> None:
    """The stock wrapper answers each call of the gRPC table with a fault."""
    recorded = golden.read("grpc.json")
    assert all(recorded[call_id]["code"] != "OK" for call_id in ALLOWED_CALLS)
