"""The environment is read once at start, and an error names the variable or flag that is wrong."""

import pytest

from scorekit.cli import serve
from scorekit.cli.parser import CommandParser
from scorekit.errors import SetupError
from scorekit.settings import UNSET, all_settings, parse_annotations, parse_environment_file, read_settings
from scorekit.settings.explain import explained

NAMED = {"MODEL_NAME": "Mine"}


def test_defaults_are_the_stock_wrappers_ports() -> None:
    """REST 9000, gRPC 5000, metrics 6000; batching off; a model and nothing else needs to be named."""
    settings = read_settings(NAMED, {})
    assert (settings.listen.http_port, settings.listen.grpc_port, settings.listen.metrics_port) == (9000, 5000, 6000)
    assert (settings.model.name, settings.model.service_type, settings.model.batching) == ("Mine", "MODEL", "off")


def test_the_operators_variables_are_understood() -> None:
    """Variables that seldon-core's operator injects set the settings."""
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
    assert (settings.listen.http_port, settings.observability.unit_id, settings.observability.unit_image) == (
        9001,
        "node",
        "image:1",
    )
    assert settings.model.parameters == {"n": 2}
    assert settings.model.batching == "on"


def test_flags_win_over_the_environment() -> None:
    """A flag takes precedence over a variable."""
    assert read_settings({**NAMED, "BATCHING": "on"}, {"batching": "off"}).model.batching == "off"


def test_an_empty_variable_is_an_unset_one() -> None:
    """An empty value, as Kubernetes manifests contain them, leaves the default in force."""
    assert read_settings({**NAMED, "PREDICTIVE_UNIT_HTTP_SERVICE_PORT": ""}, {}).listen.http_port == 9000


@pytest.mark.parametrize(
    ("environ", "flags", "message"),
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
def test_an_error_names_the_variable_or_flag(environ: dict[str, str], flags: dict[str, str], message: str) -> None:
    """The error names the variable or flag as the operator wrote it, and says what it must be."""
    with pytest.raises(SetupError) as caught:
        read_settings(environ, flags)
    assert message in str(caught.value)


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
    """Each parameter type of the stock wrapper is converted to its Python type."""
    parameters = f'[{{"name":"p","value":"{text}","type":"{kind}"}}]'
    assert read_settings(NAMED, {"parameters": parameters}).model.parameters == {"p": value}


def test_an_environment_file_is_data() -> None:
    """Comments and blank lines are ignored; nothing is expanded, executed or unquoted."""
    text = '# comment\n\nMODEL_NAME=Mine\n A = b=c \nQUOTED="x"\nHOME=$HOME `id`\n'
    assert parse_environment_file(text) == {
        "MODEL_NAME": "Mine",
        "A": "b=c",
        "QUOTED": '"x"',
        "HOME": "$HOME `id`",
    }


@pytest.mark.parametrize("line", ["NOTHING", "=value"])
def test_an_error_in_a_file_names_the_line(line: str) -> None:
    """A line that is not KEY=value prevents the start, and the error has its number."""
    with pytest.raises(SetupError, match="line 2: expected KEY=value"):
        parse_environment_file(f"A=b\n{line}\n")


def test_the_pods_annotations_come_last() -> None:
    """A flag takes precedence over a variable, a variable over an annotation, an annotation over the default."""
    name, annotations = "max_grpc_message_bytes", {"seldon.io/grpc-max-message-size": "3"}
    assert read_settings(NAMED, {}).limits.max_grpc_message_bytes == 4 * 1024 * 1024
    assert read_settings(NAMED, {}, annotations).limits.max_grpc_message_bytes == 3
    environ = {**NAMED, "GRPC_MAX_MESSAGE_SIZE": "2"}
    assert read_settings(environ, {}, annotations).limits.max_grpc_message_bytes == 2
    assert read_settings(environ, {name: "1"}, annotations).limits.max_grpc_message_bytes == 1
    with pytest.raises(SetupError, match=r"the annotation seldon\.io/grpc-max-message-size is 'much'"):
        read_settings(NAMED, {}, {"seldon.io/grpc-max-message-size": "much"})


def test_annotations_are_read_as_kubernetes_writes_them() -> None:
    """Lines of key="value" are split at the first equals sign; malformed lines are ignored."""
    text = 'a="b"\n\nnonsense\n key =  "assign==="\n'
    assert parse_annotations(text) == {"a": "b", "key": "assign==="}


@pytest.mark.parametrize(
    ("text", "value"),
    [('{"name": "a"}', {"name": "a"}), ("name: a", {"name": "a"}), ("[1]", {}), ("{", {}), ("just text", {})],
)
def test_metadata_is_json_or_yaml(text: str, value: dict[str, str]) -> None:
    """Metadata that is not an object is ignored, as by the stock wrapper."""
    pytest.importorskip("yaml")
    assert read_settings({**NAMED, "MODEL_METADATA": text}, {}).model.metadata == value


@pytest.mark.parametrize(
    ("labels", "version"), [('{"version":"v1"}', "v1"), ("{}", UNSET), ("x", UNSET), ("[]", UNSET)]
)
def test_the_version_of_a_predictor_is_a_label(labels: str, version: str) -> None:
    """PREDICTOR_LABELS that is not an object, or has no label version, leaves the version unset."""
    assert read_settings({**NAMED, "PREDICTOR_LABELS": labels}, {}).observability.predictor_version == version


def test_one_setting_makes_the_server_compatible_with_stock() -> None:
    """SCOREKIT_COMPATIBILITY=stock exposes errors and allows every origin, unless those settings are set themselves."""
    stock = {**NAMED, "SCOREKIT_COMPATIBILITY": "stock"}
    settings = read_settings(stock, {})
    assert (settings.model.expose_errors, settings.listen.cors_allowed_origins) == (True, "*")
    assert not read_settings({**stock, "EXPOSE_ERRORS": "false"}, {}).model.expose_errors
    settings = read_settings(NAMED, {})
    assert (settings.model.expose_errors, settings.listen.cors_allowed_origins) == (False, "")


@pytest.mark.parametrize("path", ["metrics", "/a b\n", "/ü"])
def test_a_metrics_endpoint_is_a_path(path: str) -> None:
    """A path that no client could request is refused at start."""
    with pytest.raises(SetupError, match="PREDICTIVE_UNIT_METRICS_ENDPOINT"):
        read_settings({**NAMED, "PREDICTIVE_UNIT_METRICS_ENDPOINT": path}, {})


def test_every_setting_is_declared_once() -> None:
    """No two settings have the same name or the same variable, so neither a flag nor a variable is ambiguous."""
    settings = list(all_settings())
    for names in ([each.name for each in settings], [each.variable for each in settings]):
        assert len(set(names)) == len(names)


def test_every_limit_says_where_its_value_comes_from() -> None:
    """A setting with a unit is listed by --explain, so it has a precedent; every setting has a help text."""
    for each in all_settings():
        assert each.help, each.name
        assert bool(each.unit) == bool(each.precedent), each.name


def test_the_flags_of_scorekit_serve_are_the_declared_ones() -> None:
    """A declaration alone gives a setting its flag, with the variable and the default in the help text."""
    parser = CommandParser(prog="scorekit")
    serve.add(parser.commands())
    flags = {each.option for each in all_settings() if each.flag}
    arguments = parser.parse(["serve", ".", *(f"{flag}=1" for flag in flags if not choices(flag))])
    assert arguments.max_in_flight == arguments.tls_key == "1"
    limit = next(each for each in all_settings() if each.name == "max_in_flight")
    assert limit.flag_help.endswith("(default: 1024; MAX_IN_FLIGHT)")


def choices(flag: str) -> tuple[str, ...] | None:
    return next(each.choices for each in all_settings() if each.option == flag)


def test_keys_are_left_out_of_logs() -> None:
    """The text of the settings does not contain the API keys."""
    assert "secret" not in repr(read_settings({**NAMED, "API_KEYS": "secret"}, {}))


def test_each_explained_limit_names_its_source() -> None:
    """--explain says for every limit which flag, variable or annotation sets it, or that it is the default."""
    annotations = {"seldon.io/rest-timeout": "9"}
    rows = {each.name: each for each in explained({**NAMED, "MAX_HEADERS": "7"}, {"max_wait_ms": "8"}, annotations)}
    assert (rows["max_headers"].value, rows["max_headers"].source) == ("7", "MAX_HEADERS")
    assert (rows["max_wait_ms"].value, rows["max_wait_ms"].source) == ("8", "--max-wait-ms")
    assert (rows["request_timeout_ms"].value, rows["request_timeout_ms"].source) == ("9", "seldon.io/rest-timeout")
    assert (rows["workers"].value, rows["workers"].source) == ("by the CPU quota", "default (GUNICORN_WORKERS)")
    assert (rows["max_form_parts"].value, rows["max_form_parts"].source) == ("1000", "fixed")
