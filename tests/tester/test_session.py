"""Sessions are repeatable, find small cases, and send as much as they say."""

import math
from typing import Any

import pytest

from scorekit.errors import SetupError
from scorekit.tester import Session, cases, probe, strategies
from scorekit.tester.law import Case
from scorekit.tester.transport import Answer, Query, Unreachable

from .served import FLOATS, Rows, Served, contract, refusal, session


def scores(rows: Rows) -> Rows:
    return [[1 - row[0] / 10, row[0] / 10] for row in rows]


def sent(**plan: Any) -> list[bytes]:
    served = Served(scores)
    session(served, **plan).run()
    return [query.body() for query in served.queries]


@pytest.mark.slow
def test_the_same_seed_sends_the_same_requests() -> None:
    """A seed repeats a run, and another seed draws other rows."""
    assert sent(seed=7) == sent(seed=7)
    assert sent(seed=7) != sent(seed=8)


@pytest.mark.slow
def test_a_random_finding_is_shrunk() -> None:
    """A fault that needs two rows and a large value is reported with two rows, one of them the simplest there is."""

    def fault(rows: Rows) -> Rows:
        return scores(rows)[: -1 if len(rows) > 1 and any(row[0] > 9 for row in rows) else None]

    results = {result.law.name: result for result in session(Served(fault), phases=("random",), max_examples=50).run()}
    case = results["target count"].case
    assert case is not None
    assert sorted(map(list, case.rows)) == [[0.0, 0], [10.0, 0]]


def test_a_listed_finding_is_shrunk() -> None:
    """A large batch made by hand is cut down to the one row that breaks the law."""

    def fault(rows: Rows) -> Rows:
        return [
            [low, high * 2] if row == [10, 2] else [low, high]
            for row, (low, high) in zip(rows, scores(rows), strict=True)
        ]

    results = {result.law.name: result for result in session(Served(fault), phases=("examples",)).run()}
    assert results["target range"].case == Case(rows=([10, 2],))


def test_the_saved_case_is_replayed_alone() -> None:
    """A replay sends the saved case, nothing else, and finds the same fault."""
    served = Served(lambda rows: [row[:1] for row in scores(rows)])
    result = session(served).replay("target count", Case(rows=([1.0, 0],)))
    assert (result.verdict, len(served.queries)) == ("BROKEN", 1)


@pytest.mark.parametrize(("count", "rows"), [(1, 1), (3, 2)])
def test_the_stock_form_sends_as_many_requests_as_its_flags_say(count: int, rows: int) -> None:
    """It sends -n requests of -b rows, none of them the simplest row, and judges each by every law about one answer."""
    served = Served(scores)
    results = session(served, phases=("random",), single=True, max_examples=count, rows=rows, form="ndarray").run()
    assert [len(query.message["data"]["ndarray"]) for query in served.queries] == [rows] * count
    assert [result.judged for result in results] == [count] * 6
    assert served.queries[0].message["data"]["ndarray"][0][0] > 0


def test_the_stock_form_sends_a_lone_possible_row() -> None:
    """If the contract allows only one row, that row is sent."""
    one = {**FLOATS, "features": [{"name": "colour", "ftype": "categorical", "values": [1]}]}
    served = Served(lambda rows: [[0.5, 0.5]])
    session(served, contract(one), phases=("random",), single=True, max_examples=1, rows=1).run()
    assert len(served.queries) == 1


def test_phases_that_were_not_asked_for_are_not_tried() -> None:
    """The report shows which laws were left out."""
    found = {result.law.name: result.verdict for result in session(Served(scores), phases=("negative",)).run()}
    assert found["answered"] == found["feedback"] == found["empty batch"] == "not tried"
    assert found["malformed refused"] == "held"


def test_a_server_with_one_protocol_is_reported() -> None:
    """Without a second protocol the law about both is not judged, and says why."""
    results = Session(contract=contract(), transport=Served(scores)).run()
    assert {each.law.name: each.verdict for each in results}["REST = gRPC"] == "not judged: one protocol only"


def test_a_server_without_the_route_cannot_be_tested() -> None:
    """A 404, or the stock wrapper's 500 in its place, means that there is nothing to test."""

    class Elsewhere(Served):
        def send(self, query: Query, /) -> Answer:
            return refusal(500, "404 Not Found: The requested URL was not found on the server.")

    with pytest.raises(Unreachable, match="there is no route for predict at memory://predict: the answer is 500"):
        probe(contract(), Elsewhere(scores))


COLUMNS = [
    {"name": "x", "ftype": "continuous", "dtype": "FLOAT", "range": [-2, 3.5], "repeat": 2},
    {"name": "n", "ftype": "continuous", "dtype": "INT", "range": [0.5, 4]},
    {"name": "open", "ftype": "continuous", "dtype": "FLOAT", "range": [1, "inf"]},
    {"name": "grid", "ftype": "continuous", "dtype": "FLOAT", "shape": [1, 2]},
    {"name": "c", "ftype": "categorical", "values": ["a", "b"]},
]


def test_drawn_rows_are_of_the_contract() -> None:
    """Drawn rows keep ranges, whole numbers, categories, repeats and shapes; text is drawn as ndarray only."""
    import hypothesis

    @hypothesis.settings(database=None, max_examples=50)
    @hypothesis.given(strategies.cases(contract({**FLOATS, "features": COLUMNS})))
    def each(case: Case) -> None:
        assert case.form == "ndarray"
        for one, two, whole, above, *grid, category in case.rows:
            assert -2 <= one <= 3.5
            assert -2 <= two <= 3.5
            assert whole in (1, 2, 3, 4)
            assert above >= 1
            assert [len(part) for part in grid] == [2]
            assert all(math.isfinite(value) for part in grid for value in part)
            assert category in ("a", "b")

    each()


def test_a_range_without_a_whole_number_cannot_be_drawn_from() -> None:
    """A contract that allows no value at all is reported as an error of the contract."""
    none = {"name": "n", "ftype": "continuous", "dtype": "INT", "range": [0.2, 0.8]}
    with pytest.raises(SetupError, match="no data can be drawn from this contract"):
        session(Served(scores), contract({**FLOATS, "features": [none]}), phases=("random",)).run()


def test_violations_violate_what_they_say() -> None:
    """Each violation breaks the rule of its kind; an unknown category has the type of the known ones."""
    made = {case.label: case for case in cases.violations(contract())}
    assert made["size above its range"].raw == '{"data": {"ndarray": [[20, 0]]}}'
    assert made["an unknown category for colour"].raw == '{"data": {"ndarray": [[5.0, 3]]}}'
    assert {case.kind for case in made.values()} == {"count", "null", "type", "range", "category"}
