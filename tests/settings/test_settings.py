"""The environment is read once, and what is wrong in it is told by name."""

import pytest

from scorekit.errors import SetupError
from scorekit.settings import UNSET, parse_annotations, parse_environment_file, read_settings

NAMED = {"MODEL_NAME": "Mine"}


def test_defaults_are_the_stock_wrappers_ports() -> None:
    """REST 9000, gRPC 5000, metrics 6000; batching off; a model and nothing else needs to be named."""
    settings = read_settings(NAMED, {})
    assert (settings.http_port, settings.grpc_port, settings.metrics_port) == (9000, 5000, 6000)
    assert (settings.model_name, settings.service_type, settings.batching) == ("Mine", "MODEL", "off")


def test_the_operators_variables_are_understood() -> None:
    """What seldon-core's operator injects ends in the settings."""
    settings = read_settings(
        {
            **NAMED,
            "PREDICTIVE_UNIT_HTTP_SERVICE_PORT": "9001",
            "PREDICTIVE_UNIT_ID": "node",
            "PREDICTIVE_UNIT_IMAGE": "image:1",
            "PREDICTIVE_UNIT_PARAMETERS": '[{"name":"n","value":"2","type":"INT"}]',
            "BATCHING": "on",
        },
        {},
    )
    assert (settings.http_port, settings.unit_id, settings.unit_image) == (9001, "node", "image:1")
    assert settings.parameters == {"n": 2}
    assert settings.batching == "on"


def test_flags_win_over_the_environment() -> None:
    """A flag is the last word."""
    assert read_settings({**NAMED, "BATCHING": "on"}, {"batching": "off"}).batching == "off"


def test_an_empty_variable_is_an_unset_one() -> None:
    """Kubernetes manifests write empty values; they mean nothing."""
    assert read_settings({**NAMED, "PREDICTIVE_UNIT_HTTP_SERVICE_PORT": ""}, {}).http_port == 9000


@pytest.mark.parametrize(
    ("environ", "flags", "told"),
    [
        ({}, {}, "Set MODEL_NAME in .s2i/environment"),
        ({**NAMED, "SERVICE_TYPE": "THING"}, {}, "SERVICE_TYPE is 'THING'; it must be one of MODEL, ROUTER"),
        ({**NAMED, "PREDICTIVE_UNIT_HTTP_SERVICE_PORT": "x"}, {}, "PREDICTIVE_UNIT_HTTP_SERVICE_PORT is 'x'"),
        (NAMED, {"http_port": "70000"}, "--http-port is '70000'; it must be a whole number from 0 to 65535"),
        (NAMED, {"http_port": "9" * 5000}, "--http-port is '999"),
        (NAMED, {"batching": "maybe"}, "--batching is 'maybe'; it must be one of on, auto, off"),
        ({**NAMED, "SELDON_LOG_LEVEL": "info"}, {}, "SELDON_LOG_LEVEL is 'info'"),
        ({**NAMED, "MAX_BATCH_ROWS": "0"}, {}, "MAX_BATCH_ROWS is '0'"),
        (NAMED, {"parameters": "{"}, "--parameters must be a JSON list"),
        (NAMED, {"parameters": "[1]"}, "--parameters must be a JSON list"),
        (NAMED, {"parameters": "[" * 100_000}, "--parameters must be a JSON list"),
        (NAMED, {"parameters": '[{"name":"n","value":true,"type":"BOOL"}]'}, "objects of strings"),
        (NAMED, {"parameters": '[{"name":"n","value":"1","type":[]}]'}, "objects of strings"),
        (
            NAMED,
            {"parameters": '[{"name":"n","value":"x","type":"INT"}]'},
            "Bad model parameter: n with value x can't be parsed as a INT",
        ),
        (
            NAMED,
            {"parameters": '[{"name":"n","value":"x","type":"THING"}]'},
            "Bad model parameter type: THING valid are INT, FLOAT, DOUBLE, STRING, BOOL",
        ),
        (NAMED, {"parameters": '[{"name":"n","value":"maybe","type":"BOOL"}]'}, "can't be parsed as a BOOL"),
    ],
)
def test_what_is_wrong_is_told_by_name(environ: dict[str, str], flags: dict[str, str], told: str) -> None:
    """The sentence names the variable or flag as the operator wrote it, and what it must be."""
    with pytest.raises(SetupError) as caught:
        read_settings(environ, flags)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("INT", "3", 3),
        ("FLOAT", "1.5", 1.5),
        ("DOUBLE", "2", 2.0),
        ("STRING", "x", "x"),
        ("BOOL", "Yes", True),
        ("BOOL", "0", False),
    ],
)
def test_parameters_are_typed(kind: str, text: str, value: object) -> None:
    """Each parameter type of the stock wrapper becomes its Python value."""
    parameters = f'[{{"name":"p","value":"{text}","type":"{kind}"}}]'
    assert read_settings(NAMED, {"parameters": parameters}).parameters == {"p": value}


def test_an_environment_file_is_data() -> None:
    """Comments and blank lines are passed over; nothing is expanded, run or unquoted."""
    text = '# comment\n\nMODEL_NAME=Mine\n A = b=c \nQUOTED="x"\nHOME=$HOME `id`\n'
    assert parse_environment_file(text) == {
        "MODEL_NAME": "Mine",
        "A": "b=c",
        "QUOTED": '"x"',
        "HOME": "$HOME `id`",
    }


@pytest.mark.parametrize("line", ["NOTHING", "=value"])
def test_a_broken_line_is_told_by_number(line: str) -> None:
    """A line that is no KEY=value stops the start with its number."""
    with pytest.raises(SetupError, match="line 2: expected KEY=value"):
        parse_environment_file(f"A=b\n{line}\n")


def test_the_pods_annotations_come_last() -> None:
    """Flag over variable over annotation over default, for the size of a gRPC message."""
    name, annotations = "max_grpc_message_bytes", {"seldon.io/grpc-max-message-size": "3"}
    assert read_settings(NAMED, {}).max_grpc_message_bytes == 4 * 1024 * 1024
    assert read_settings(NAMED, {}, annotations).max_grpc_message_bytes == 3
    told = {**NAMED, "GRPC_MAX_MESSAGE_SIZE": "2"}
    assert read_settings(told, {}, annotations).max_grpc_message_bytes == 2
    assert read_settings(told, {name: "1"}, annotations).max_grpc_message_bytes == 1
    with pytest.raises(SetupError, match=r"the annotation seldon\.io/grpc-max-message-size is 'much'"):
        read_settings(NAMED, {}, {"seldon.io/grpc-max-message-size": "much"})


def test_annotations_are_read_as_kubernetes_writes_them() -> None:
    """Lines of key="value", split at the first sign; malformed ones are passed over."""
    text = 'a="b"\n\nnonsense\n key =  "assign==="\n'
    assert parse_annotations(text) == {"a": "b", "key": "assign==="}


@pytest.mark.parametrize(
    ("text", "value"),
    [('{"name": "a"}', {"name": "a"}), ("name: a", {"name": "a"}), ("[1]", {}), ("{", {}), ("just text", {})],
)
def test_metadata_is_json_or_yaml(text: str, value: dict[str, str]) -> None:
    """What is no object counts as nothing, as with the stock wrapper."""
    pytest.importorskip("yaml")
    assert read_settings({**NAMED, "MODEL_METADATA": text}, {}).model_metadata == value


@pytest.mark.parametrize(
    ("labels", "version"), [('{"version":"v1"}', "v1"), ("{}", UNSET), ("x", UNSET), ("[]", UNSET)]
)
def test_the_predictors_version_is_a_label_of_it(labels: str, version: str) -> None:
    """PREDICTOR_LABELS that are no object, or have none, tell no version."""
    assert read_settings({**NAMED, "PREDICTOR_LABELS": labels}, {}).predictor_version == version


def test_the_stock_ways_are_one_setting() -> None:
    """SCOREKIT_COMPATIBILITY=stock exposes errors and allows every origin, unless told otherwise one by one."""
    stock = {**NAMED, "SCOREKIT_COMPATIBILITY": "stock"}
    settings = read_settings(stock, {})
    assert (settings.expose_errors, settings.cors_allowed_origins) == (True, "*")
    assert not read_settings({**stock, "EXPOSE_ERRORS": "false"}, {}).expose_errors
    settings = read_settings(NAMED, {})
    assert (settings.expose_errors, settings.cors_allowed_origins) == (False, "")


@pytest.mark.parametrize("path", ["metrics", "/a b\n", "/ü"])
def test_a_metrics_endpoint_is_a_path(path: str) -> None:
    """What could not be asked for is refused at start."""
    with pytest.raises(SetupError, match="PREDICTIVE_UNIT_METRICS_ENDPOINT"):
        read_settings({**NAMED, "PREDICTIVE_UNIT_METRICS_ENDPOINT": path}, {})
