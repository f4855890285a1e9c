"""Every law, in the order of the report."""

from . import metamorphic, single_answer
from .law import Law, raw_query, rows_query
from .refusals import refused

LAWS = (
    Law(
        name="answered",
        promise="a row that the contract allows is answered 200",
        queries=rows_query,
        judge=single_answer.answered,
    ),
    Law(
        name="valid JSON",
        promise="an answer is JSON, without NaN and Infinity",
        queries=rows_query,
        judge=single_answer.valid_json,
    ),
    Law(
        name="target count",
        promise="an answer has as many rows as the request, and as many values in each as the contract has targets",
        queries=rows_query,
        judge=single_answer.target_count,
        targets=True,
    ),
    Law(
        name="target names",
        promise="the names are the contract's, or there are none",
        queries=rows_query,
        judge=single_answer.target_names,
        targets=True,
    ),
    Law(
        name="finite numbers",
        promise="numeric targets are finite",
        queries=rows_query,
        judge=single_answer.finite_numbers,
        targets=True,
    ),
    Law(
        name="target range",
        promise="targets keep their range, type and categories",
        queries=rows_query,
        judge=single_answer.target_range,
        targets=True,
    ),
    Law(
        name="meta echo",
        promise="puid and tags come back, and only to the request that sent them",
        queries=metamorphic.with_and_without_meta,
        judge=metamorphic.meta_is_echoed,
    ),
    Law(
        name="batch = single rows",
        promise="a batch is answered as each of its rows alone",
        queries=metamorphic.batch_and_its_rows,
        judge=metamorphic.batch_equals_rows,
    ),
    Law(
        name="row order",
        promise="rows in another order are answered in that order",
        queries=metamorphic.both_orders,
        judge=metamorphic.order_is_kept,
    ),
    Law(
        name="determinism",
        promise="the same request gets the same answer twice",
        queries=metamorphic.twice,
        judge=metamorphic.all_equal,
    ),
    Law(
        name="no memory",
        promise="requests in between do not change an answer",
        queries=metamorphic.with_others_between,
        judge=metamorphic.repetitions_equal,
    ),
    Law(
        name="ndarray = tensor",
        promise="both forms of the same rows get the same answer",
        queries=metamorphic.both_forms,
        judge=metamorphic.all_equal,
    ),
    Law(
        name="REST = gRPC",
        promise="both protocols give the same answer",
        queries=metamorphic.both_protocols,
        judge=metamorphic.protocols_equal,
    ),
    Law(
        name="empty batch",
        promise="a request without rows gets no rows, or a 4xx",
        queries=metamorphic.no_rows,
        judge=metamorphic.empty_is_answered,
        kind="empty",
    ),
    Law(
        name="malformed refused",
        promise="a malformed request gets a 4xx that says where the fault is",
        queries=raw_query,
        judge=refused,
        kind="malformed",
    ),
    Law(
        name="contract refused",
        promise="a request that the contract forbids gets a 4xx that says where the fault is",
        queries=raw_query,
        judge=refused,
        kind="violation",
    ),
    Law(
        name="feedback",
        promise="feedback is accepted",
        queries=metamorphic.feedback_and_prediction,
        judge=metamorphic.feedback_is_accepted,
        kind="feedback",
    ),
)

BY_NAME = {law.name: law for law in LAWS}
TWO_PROTOCOLS = "REST = gRPC"
STEADY = ("determinism", "no memory")
"""The laws that those in ``COMPARING`` rest on: if answers change by themselves, any two may differ."""
COMPARING = ("batch = single rows", "row order", "ndarray = tensor", TWO_PROTOCOLS)
