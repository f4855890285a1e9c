"""Every law finds its fault, and no law finds a fault in a good server."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from scorekit.tester.laws import LAWS
from scorekit.tester.plan import PHASES
from scorekit.tester.transport import Answer, NoAnswer, Query

from .served import FLOATS, Rows, Served, contract, refusal, session, verdicts


def scores(rows: Rows) -> Rows:
    return [[1 - row[0] / 10, row[0] / 10] for row in rows]


class Remembering:
    """Each answer depends on the request before it."""

    def __init__(self) -> None:
        self.last = 0.0

    def __call__(self, rows: Rows) -> Rows:
        last, self.last = self.last, sum(row[0] for row in rows)
        return [[low * (1 - last / 1e3), high] for low, high in scores(rows)]


class Alternating:
    """Every second answer differs."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, rows: Rows) -> Rows:
        self.count += 1
        return [[low, high * (1 - 1e-3 * (self.count % 2))] for low, high in scores(rows)]


def raising(rows: Rows) -> Rows:
    raise ValueError("no rows of mine")


def blue(rows: Rows, answered: Any) -> Rows:
    """The scores, with ``answered`` in place of the first of each blue row."""
    return [[answered if row[1] == 2 else low, high] for row, (low, high) in zip(rows, scores(rows), strict=True)]


def over(rows: Rows) -> Rows:
    return [[low, high + (high > 0.9)] for low, high in scores(rows)]


def swapped(rows: Rows) -> Rows:
    return [row[::-1] for row in scores(rows)] if len(rows) > 1 else scores(rows)


def labels(rows: Rows) -> Any:
    return {"data": {"ndarray": ["ab"[row[0] > 5] for row in rows]}}


def named(*names: str) -> Callable[[Rows], Any]:
    return lambda rows: {"data": {"names": list(names), "ndarray": scores(rows)}}


def column(**more: Any) -> list[dict[str, Any]]:
    return [{"name": "y", "ftype": "continuous", "dtype": "FLOAT", **more}]


def classes(*values: Any) -> list[dict[str, Any]]:
    return [{"name": "kind", "ftype": "categorical", "values": list(values)}]


def needs_rows(rows: Rows) -> Rows:
    assert rows, "no rows"
    return scores(rows)


FAULTS: dict[str, tuple[str, Callable[[Rows], Any]]] = {
    "raises": ("answered", raising),
    "a bare NaN": ("valid JSON", lambda rows: blue(rows, math.nan)),
    "no data": ("valid JSON", lambda rows: {"nothing": 1}),
    "a column too few": ("target count", lambda rows: [row[:1] for row in scores(rows)]),
    "a row too many": ("target count", lambda rows: [*scores(rows), [0.5, 0.5]]),
    "other names": ("target names", named("high", "low")),
    "NaN on one category": ("finite numbers", lambda rows: blue(rows, "NaN")),
    "above its range": ("target range", over),
    "meta lost": ("meta echo", lambda rows: {"meta": {}, "data": {"ndarray": scores(rows)}}),
    "swapped on batches": ("batch = single rows", swapped),
    "sorted rows": ("row order", lambda rows: sorted(scores(rows))),
    "every second": ("determinism", Alternating()),
    "state that leaks": ("no memory", Remembering()),
    "an empty batch": ("empty batch", needs_rows),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found_by_its_law(fault: str) -> None:
    """The law that a fault breaks has the verdict BROKEN."""
    law, model = FAULTS[fault]
    found = verdicts(Served(model), phases=("examples", "boundaries", "random"))
    assert found[law] == "BROKEN", found


def test_an_unsteady_server_is_not_blamed_for_what_follows() -> None:
    """If answers change by themselves, the laws that compare two of them are not judged."""
    found = verdicts(Served(Remembering()), phases=("examples",))
    broken = {law for law, verdict in found.items() if verdict == "BROKEN"}
    assert broken == {"determinism", "no memory"}
    assert found["row order"] == "not judged: determinism and no memory broken"


def test_faults_that_only_one_form_or_protocol_has_are_found() -> None:
    """Different answers to the two forms, or over the two protocols, are found by the laws about those."""

    class Forms(Served):
        def send(self, query: Query, /) -> Answer:
            answer = super().send(query)
            changed = b"tensor" in query.body() or query.other
            return Answer(answer.status, answer.body.replace(b"0.5", b"0.25")) if changed else answer

    found = verdicts(Forms(scores), phases=("examples",))
    assert {law for law, verdict in found.items() if verdict == "BROKEN"} == {"ndarray = tensor", "REST = gRPC"}


@pytest.mark.parametrize(
    ("targets", "model"),
    [
        (FLOATS["targets"], scores),
        (classes("a", "b"), labels),
        (classes(0, 1), lambda rows: [float(row[0] > 5) for row in rows]),
        (column(dtype="INT", range=[0, "inf"]), lambda rows: [[float(row[0] // 1)] for row in rows]),
        (column(repeat=2), named("y:0", "y:1")),
        (column(shape=[2, 1]), lambda rows: {"data": {"ndarray": [[[v] for v in row] for row in scores(rows)]}}),
        (FLOATS["targets"], named("t:0", "t:1")),
        (FLOATS["targets"], lambda rows: {"jsonData": {"scores": scores(rows)}}),
        (FLOATS["targets"], lambda rows: {"strData": str(scores(rows))}),
    ],
    ids=["floats", "labels", "classes", "counts", "repeated", "shaped", "unnamed", "jsonData", "strData"],
)
def test_no_law_misfires_on_a_good_component(targets: Any, model: Callable[[Rows], Any]) -> None:
    """Labels, classes as floats, counts, flat and nested answers, and answers that are not tables break no law."""
    found = verdicts(Served(model), contract({**FLOATS, "targets": targets}))
    assert "BROKEN" not in found.values(), found
    assert found["answered"] == found["determinism"] == found["REST = gRPC"] == found["feedback"] == "held"


def test_text_features_are_sent_as_ndarray_only() -> None:
    """Text has no tensor form, so the law about both forms is not judged; all others are, and hold."""
    features = [FLOATS["features"][0], {"name": "colour", "ftype": "categorical", "values": ["red", "blue"]}]
    model = lambda rows: [[float(row[1] == "red"), row[0] / 10] for row in rows]  # noqa: E731
    found = verdicts(Served(model), contract({**FLOATS, "features": features}))
    assert found.pop("ndarray = tensor") == "not judged"
    assert found.pop("contract refused").startswith("not judged")
    assert set(found.values()) == {"held"}


def test_answers_that_differ_by_rounding_are_equal() -> None:
    """A batch whose floats differ by one part in 1e12 from the rows alone holds; one part in 1e6 does not."""

    def shaken(by: float) -> Served:
        return Served(lambda rows: [[low * (1 - by * (len(rows) > 1)), high] for low, high in scores(rows)])

    assert verdicts(shaken(1e-12))["batch = single rows"] == "held"
    assert verdicts(shaken(1e-6))["batch = single rows"] == "BROKEN"


UNJUDGED = "not judged: the server checks no contract ({} accepted, {} failed; --strict judges it)"


def features_checked(rows: Rows) -> str:
    return "" if all(len(row) == 2 for row in rows) else "expected 2 features in row 0"


def all_checked(rows: Rows) -> str:
    if fault := features_checked(rows):
        return fault
    good = all(type(row[0]) in (int, float) and 0 <= row[0] <= 10 and row[1] in (0, 1, 2) for row in rows)
    return "" if good else "size or colour is not of the contract"


def lenient(rows: Rows) -> Rows:
    return [[0.5, 0.5] for _ in rows]


@pytest.mark.parametrize(
    ("check", "model", "strict", "verdict"),
    [
        (lambda rows: "", lenient, False, UNJUDGED.format(8, 0)),
        (lambda rows: "", lenient, True, "BROKEN"),
        (lambda rows: "", raising, False, UNJUDGED.format(0, 8)),
        (features_checked, lenient, False, "held"),
        (features_checked, lenient, True, "BROKEN"),
        (
            features_checked,
            scores,
            False,
            "BROKEN",
        ),  # a text reaches the model, which fails
        (all_checked, scores, False, "held"),
        (all_checked, scores, True, "held"),
    ],
)
def test_a_contract_is_enforced_where_a_server_checks_it(
    check: Callable[[Rows], str], model: Callable[[Rows], Any], strict: bool, verdict: str
) -> None:
    """A server must refuse every violation of a kind that it checks; with strict it must refuse all violations."""
    found = verdicts(Served(model, check), phases=("negative",), strict=strict)
    assert found["contract refused"] == verdict
    assert found["malformed refused"] == "held"


def test_a_refusal_without_a_place_is_a_finding() -> None:
    """A 400 is not enough: it must say where the fault is."""

    class Curt(Served):
        def send(self, query: Query, /) -> Answer:
            answer = super().send(query)
            return refusal(400, "bad") if answer.status == 400 else answer

    (result,) = [each for each in session(Curt(scores), phases=("negative",)).run() if each.law.kind == "malformed"]
    assert result.broken == "JSON that breaks off is refused without a place: bad"
    assert result.more == 9


def test_a_request_that_hangs_is_a_finding_and_does_not_cost_a_timeout_each() -> None:
    """A server that never answers gets a few requests for each law, not hundreds."""

    class Holding(Served):
        def send(self, query: Query, /) -> Answer:
            super().send(query)
            raise NoAnswer("no answer within 1 s", hung=True)

    served = Holding(scores)
    results = session(served).run()
    assert results[0].broken == "a request: no answer within 1 s"
    assert len(served.queries) < 5 * len(LAWS)


def test_another_method_is_judged_without_targets() -> None:
    """transform-input answers with features: laws about targets are left out, and every query is sent to it."""
    served = Served(lambda rows: [[value + 100 for value in row] for row in rows])
    found = verdicts(served, verb="transform-input", phases=PHASES[:3])
    assert not {"target count", "target range"} & set(found)
    assert found["answered"] == found["batch = single rows"] == "held"
    assert {query.verb for query in served.queries} == {"transform-input"}


def test_a_server_without_feedback_is_not_blamed() -> None:
    """A 404 to feedback is reported as "not available"."""

    class Without(Served):
        def send(self, query: Query, /) -> Answer:
            return refusal(404, "no such route") if query.verb == "send-feedback" else super().send(query)

    assert verdicts(Without(scores), phases=("feedback",))["feedback"] == "not available"
