"""The settings of the group ``observability``."""

from dataclasses import dataclass

from .. import names, readings
from ..declaration import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Observability:
    """What is logged and counted, and the identity that stands in metrics and answers.

    These are a group of their own because somebody else sets them: not the author of the model but the operator of
    the cluster and whoever reads logs and dashboards.
    """

    log_level: str = setting(
        "INFO",
        "SELDON_LOG_LEVEL",
        readings.OneOf(*names.LOG_LEVELS),
        metavar="LEVEL",
        help=f"{', '.join(names.LOG_LEVELS[:-1])} or {names.LOG_LEVELS[-1]}",
    )
    access_log: bool = setting(
        False,
        "GUNICORN_ACCESS_LOG",
        readings.truth,
        metavar="true|false",
        help="log each request as a line of JSON",
    )
    metrics_endpoint: str = setting(
        "/metrics", names.ENV_METRICS_ENDPOINT, readings.path, flag=False, help="path of the metrics page"
    )
    metrics_worker_id: bool = setting(
        False,
        "METRICS_WORKER_ID",
        readings.truth,
        flag=False,
        help="label every series with the process that counted it, as the stock wrapper does",
    )
    count_feedback: bool = setting(
        True,
        names.ENV_EXECUTOR_ENABLED,
        readings.not_false,
        flag=False,
        help="count the rewards of feedback; false leaves that to others, as in the stock wrapper",
    )
    deployment_id: str = setting(
        names.UNSET, names.ENV_DEPLOYMENT_ID, readings.text, flag=False, help="name of the SeldonDeployment"
    )
    predictor_id: str = setting(
        names.UNSET, names.ENV_PREDICTOR_ID, readings.text, flag=False, help="name of the predictor"
    )
    predictor_version: str = setting(
        names.UNSET,
        names.ENV_PREDICTOR_LABELS,
        readings.version_label,
        flag=False,
        help="the label version among the predictor's labels",
    )
    unit_id: str | None = setting(
        None, names.ENV_UNIT_ID, readings.text, flag=False, help="name of the node in the inference graph"
    )
    unit_image: str = setting(
        names.UNSET_IMAGE, names.ENV_UNIT_IMAGE, readings.text, flag=False, help="image of the node"
    )
