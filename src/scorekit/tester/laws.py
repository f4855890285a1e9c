"""Every law, in the order of the report."""

from . import relations as between
from . import single
from .law import Law, one, raw
from .refusals import refused

LAWS = (
    Law("answered", "rows of the contract are answered 200", one, single.answered),
    Law("valid JSON", "answers are JSON, without NaN and Infinity", one, single.valid_json),
    Law("target count", "as many rows as sent, as many values as targets", one, single.target_count, targets=True),
    Law("target names", "names are the contract's, or none", one, single.target_names, targets=True),
    Law("finite numbers", "numeric targets are finite numbers", one, single.finite_numbers, targets=True),
    Law("target range", "targets keep their range, type and categories", one, single.target_range, targets=True),
    Law("meta echo", "puid and tags come back, to their own request only", between.with_meta, between.meta_echo),
    Law("batch = single rows", "a batch is answered as its rows alone", between.singles, between.batch),
    Law("row order", "rows in another order are answered in it", between.forwards_and_back, between.row_order),
    Law("determinism", "the same request twice, the same answer twice", between.twice, between.same),
    Law("no memory", "requests in between change nothing", between.with_others_between, between.no_memory),
    Law("ndarray = tensor", "both forms of the same rows are answered alike", between.both_forms, between.same),
    Law("REST = gRPC", "both protocols answer the same rows alike", between.both_protocols, between.protocols),
    Law("empty batch", "no rows in: no rows out, or a 4xx", between.no_rows, between.empty_batch, "empty"),
    Law("malformed refused", "what is no request gets a 4xx with a place", raw, refused, "malformed"),
    Law("contract refused", "what breaks the contract gets a 4xx with a place", raw, refused, "violation"),
    Law("feedback", "feedback is taken", between.feedback, between.feedback_taken, "feedback"),
)  # fmt: skip
BY_NAME = {law.name: law for law in LAWS}
TWO_PROTOCOLS = "REST = gRPC"
STEADY = ("determinism", "no memory")
"""What the laws in ``COMPARING`` rest upon: where answers change by themselves, any two may differ."""
COMPARING = ("batch = single rows", "row order", "ndarray = tensor", TWO_PROTOCOLS)
