"""The settings of the group ``model``."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .. import names, readings
from ..declaration import REQUIRED, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """Which model is served, how it is called, and how its answers are written."""

    name: str = setting(
        REQUIRED,
        names.ENV_MODEL_NAME,
        readings.text,
        name="model_name",
        flag=False,
        help="a module with a class of the same name, or package.module.Class",
    )
    parameters: Mapping[str, Any] = setting(
        {},
        names.ENV_PARAMETERS,
        readings.parameters,
        metavar="JSON",
        help='arguments for the class, such as [{"name": "depth", "value": "3", "type": "INT"}]',
    )
    contract: str = setting(
        "",
        names.ENV_CONTRACT,
        readings.text,
        metavar="FILE",
        help="refuse requests that this file, in the component's folder, does not allow",
    )
    service_type: str = setting(
        "MODEL",
        names.ENV_SERVICE_TYPE,
        readings.OneOf(*names.SERVICE_TYPES),
        metavar="TYPE",
        help=f"{', '.join(names.SERVICE_TYPES[:-1])} or {names.SERVICE_TYPES[-1]}",
    )
    compatibility: str = setting(
        "better",
        "SCOREKIT_COMPATIBILITY",
        readings.OneOf("better", "stock"),
        help="stock: answer as seldon-core 1.17.1 does even where that is worse, for clients that depend on it",
    )
    batching: str = setting(
        "off",
        names.ENV_BATCHING,
        readings.OneOf("on", "auto", "off"),
        topic="batching",
        help="merge concurrent requests into one call of the model; auto: only if a trial at start-up shows that its "
        "answers stay the same",
    )
    no_probe: bool = setting(
        False,
        "NO_PROBE",
        readings.truth,
        help="do not predict rows of the contract before the first request",
    )
    max_batch_rows: int = setting(
        1024,
        "MAX_BATCH_ROWS",
        readings.positive,
        topic="batching",
        unit="rows",
        precedent="measured: a call costs the same up to some hundred rows",
        help="rows in one call of the model, at most",
    )
    max_batch_delay_ms: int = setting(
        5,
        "MAX_BATCH_DELAY_MS",
        readings.whole(0, 10_000),
        topic="batching",
        unit="ms",
        precedent="only while requests keep coming; an idle server waits for none",
        help="milliseconds that a request waits for others, at most; an idle server waits for none",
    )
    expose_errors: bool = setting(
        False,
        names.ENV_EXPOSE_ERRORS,
        readings.truth,
        flag=False,
        help="answer with the text of an exception that the model raises; compatibility stock turns it on",
    )
    include_metrics: bool = setting(
        True,
        "INCLUDE_METRICS_IN_CLIENT_RESPONSE",
        readings.truth,
        flag=False,
        help="include the component's metrics in answers",
    )
    payload_passthrough: bool = setting(
        False,
        "PAYLOAD_PASSTHROUGH",
        readings.truth,
        flag=False,
        help="give predict_raw the unparsed body of a REST request, and send its answer unchanged",
    )
    metadata: Mapping[str, Any] = setting(
        {},
        "MODEL_METADATA",
        readings.metadata,
        name="model_metadata",
        flag=False,
        help="metadata of the model; takes precedence over what its class returns",
    )
