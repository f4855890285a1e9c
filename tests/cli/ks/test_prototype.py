"""`ks prototype …` and `ks generate`: stdout, stderr, exit status and files (ksonnet-rules.md#prototypes)."""

import json
import re
from pathlib import Path

import pytest

from .conftest import Run, files, info, ok, refused

MINE = """// @apiVersion 0.1
// @name my.mixed
// @description Something of each type,
//   over two lines.
// @shortDescription Each type
// @param name string Its name
// @param count number How many
// @optionalParam port numberOrString http A port
// @optionalParam labels object {} Labels
// @optionalParam list array [] A list

// This stays.
local name = import 'param://name';
{ kind: 'Mixed', metadata: { name: name, namespace: import "env://namespace" },
  all: [import 'param://count', import 'param://port', import 'param://labels', import 'param://list'] }
"""
HEAD = (
    'local env = std.extVar("__ksonnet/environments");\nlocal params = std.extVar("__ksonnet/params").components{};\n'
)
BODY = """
// This stays.
local name = params.name;
{ kind: 'Mixed', metadata: { name: name, namespace: env.namespace },
  all: [params.count, params.port, params.labels, params.list] }
"""
STOCK = [
    ("configMap", "A ConfigMap with the settings of an application"),
    ("deployed-service", "A Deployment of one image and a Service for it"),
    ("namespace", "A Namespace with its name as a label"),
    ("single-port-deployment", "A Deployment of one image with one port"),
    ("single-port-service", "A Service with one port for pods with given labels"),
]


@pytest.fixture
def mine(app: Path, ks: Run) -> Path:
    """An app with a package that has one prototype, `my.mixed`."""
    folder = app / "parts" / "pkg"
    (folder / "prototypes" / "deep").mkdir(parents=True)
    (folder / "parts.yaml").write_text("apiVersion: 0.0.1\nkind: ksonnet.io/parts\nname: pkg\n")
    (folder / "prototypes" / "deep" / "mixed.jsonnet").write_text(MINE)
    (app / "parts" / "registry.yaml").write_text(
        "apiVersion: 0.1.0\nkind: ksonnet.io/registry\nlibraries:\n  pkg: {path: pkg, version: master}\n"
    )
    assert ks("registry", "add", "mine", "./parts").status == 0
    assert ks("pkg", "install", "mine/pkg").status == 0
    return app


def written(app: Path, name: str) -> str:
    return info(f"Writing component at '{app}/components/{name}.jsonnet'")


def test_list_prints_a_table(mine: Path, ks: Run) -> None:
    """The table has ksonnet's own prototypes and those of packages, sorted by name."""
    lines = ["NAME                                  DESCRIPTION", "====                                  ==========="]
    lines += [f"io.ksonnet.pkg.{name:<23}{description}" for name, description in STOCK]
    lines.append("my.mixed                              Each type")
    assert ks("prototype", "list") == ok("\n".join(lines) + "\n")
    listed = json.loads(ks("prototype", "list", "-o", "json").out)
    assert listed["kind"] == "prototypeList"
    assert listed["data"][-1] == {"name": "my.mixed", "description": "Each type"}
    assert ks("prototype", "list", "x") == refused("Command 'prototype list' does not take any arguments")


def test_search_prints_those_with_the_text_in_their_name(app: Path, ks: Run) -> None:
    """The table has several, one, or no row; ksonnet printed none if there was one."""
    header = "NAME DESCRIPTION\n==== ===========\n"
    assert ks("prototype", "search", "nothing") == ok(header)
    assert ks("prototype", "search", "space").out.splitlines()[2:] == [
        "io.ksonnet.pkg.namespace A Namespace with its name as a label"
    ]
    assert len(ks("prototype", "search", "service").out.splitlines()) == 4
    assert ks("prototype", "search") == refused("Command 'prototype search' requires a prototype name")


def test_describe_prints_the_parameters_of_a_prototype(mine: Path, ks: Run) -> None:
    """The description has names, types and defaults in the order of the prototype."""
    assert ks("prototype", "describe", "mixed") == ok(
        "PROTOTYPE NAME:\nmy.mixed\n\nDESCRIPTION:\nSomething of each type,\nover two lines.\n\n"
        "REQUIRED PARAMETERS:\n  --name=<name>   Its name [type: string]\n  --count=<count> How many [type: number]\n\n"
        "OPTIONAL PARAMETERS:\n  --port=<port>     A port [default: http, type: numberOrString]\n"
        "  --labels=<labels> Labels [default: {}, type: object]\n"
        "  --list=<list>     A list [default: [], type: array]\n\n"
        "TEMPLATE TYPES AVAILABLE:\n  [jsonnet]\n"
    )
    assert "OPTIONAL PARAMETERS:\n  [none]\n" in ks("prototype", "describe", "namespace").out
    assert ks("prototype", "describe") == refused("Command 'prototype describe' requires a prototype name")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("nothing", "no prototype names matched 'nothing'"),
        ("spac", "no prototype names matched 'spac'; a list of partial matches: io.ksonnet.pkg.namespace"),
        (
            "service",
            "ambiguous match for 'service': io.ksonnet.pkg.deployed-service, io.ksonnet.pkg.single-port-service",
        ),
    ],
)
def test_a_prototype_is_found_by_the_end_of_its_name(app: Path, ks: Run, query: str, message: str) -> None:
    """The end must match one name; otherwise the error lists the candidates."""
    assert ks("prototype", "describe", query) == refused(message)
    assert ks("generate", query, "x") == refused(message)
    assert ks("prototype", "describe", "port-deployment").status == 0


def test_preview_prints_the_component(mine: Path, ks: Run) -> None:
    """The output is what generate would write for a component `preview`; nothing is written."""
    before = files(mine)
    assert ks("prototype", "preview", "mixed", "--name=x", "--count=1") == ok(HEAD.format(".preview") + BODY + "\n")
    assert files(mine) == before
    assert ks("prototype", "preview") == refused("Command 'prototype preview' requires a prototype name")


@pytest.mark.parametrize("words", [("generate",), ("prototype", "use")])
def test_generate_writes_a_component_and_its_parameters(mine: Path, ks: Run, words: tuple[str, ...]) -> None:
    """Placeholders become parameters, whose values are in params.libsonnet as jsonnet of their types."""
    flags = ["--count", "2.50", "--port=8080", '--labels={ a: "b" }', "--list", "[1, 2]", '--name=it\'s "new"\\']
    assert ks(*words, "mixed", "web", *flags) == ok(err=written(mine, "web"))
    assert (mine / "components/web.jsonnet").read_text() == HEAD.format(".web") + BODY
    assert (
        (mine / "components/params.libsonnet")
        .read_text()
        .endswith(
            "components/ directory\n    web: {\n      count: 2.50,\n"
            '      labels: { a: "b" },\n      list: [1, 2],\n      name: "it\'s \\"new\\"\\\\",\n      port: 8080,\n'
            "    },\n  },\n}\n"
        )
    )
    [shown] = json.loads(ks("show", "default", "-o", "json").out)["items"]
    assert shown["all"] == [2.5, 8080, {"a": "b"}, [1, 2]]
    assert shown["metadata"]["name"] == 'it\'s "new"\\'


def test_names_are_quoted_as_ksonnet_quotes_them(mine: Path, ks: Run) -> None:
    """A name with a digit or a dash, or a keyword, is in quotes; a name with `_` is not."""
    for name, holder, entry in [
        ("foo_bar", ".foo_bar", "foo_bar"),
        ("cm1", '["cm1"]', '"cm1"'),
        ("a-b", '["a-b"]', '"a-b"'),
        ("local", '["local"]', '"local"'),
    ]:
        assert ks("generate", "namespace", name) == ok(err=written(mine, name))
        assert (mine / f"components/{name}.jsonnet").read_text().startswith(HEAD.format(holder))
        assert (
            f'    {entry}: {{\n      name: "{name}",\n    }},\n' in (mine / "components/params.libsonnet").read_text()
        )
    assert ks("show", "default").status == 0


def test_a_module_is_named_by_a_flag_or_by_the_component(app: Path, ks: Run) -> None:
    """The module is made if it does not exist."""
    path = f"Writing component at '{app}/components/"
    using = info("Using module from component name instead of flag", module_name="apps.deep")
    assert ks("generate", "namespace", "apps.deep.one", "--module=x") == ok(
        err=using + info(f"{path}apps/deep/one.jsonnet'")
    )
    assert ks("generate", "namespace", "two", "--module", "apps") == ok(err=info(f"{path}apps/two.jsonnet'"))
    assert '      name: "one",' in (app / "components/apps/deep/params.libsonnet").read_text()
    assert ks("show", "default") == ok()  # no target, hence not rendered
    assert ks("env", "targets", "default", "--module", "apps.deep", "--module", "apps").status == 0
    assert [line for line in ks("show", "default").out.splitlines() if line.startswith("  name: ")] == [
        *("  name: one", "  name: two")
    ]


def test_values_of_a_file_win(mine: Path, ks: Run, tmp_path: Path) -> None:
    """--values-file is jsonnet with an object of parameters, which win over the flags."""
    (tmp_path / "values").write_text("local n = 2; { count: n + 1, labels: { a: n } }")
    ran = ks("generate", "mixed", "web", "--count=1", "--port=x", "--values-file", str(tmp_path / "values"))
    assert ran == ok(err=written(mine, "web"))
    [shown] = json.loads(ks("show", "default", "-o", "json").out)["items"]
    assert shown["all"] == [3, "x", {"a": 2}, []]
    for text, message in [
        ("{ nope: 1 }", 'prototype "my.mixed" has no parameter nope; it has: count, labels, list, name, port'),
        ("[]", "an object of parameters was expected"),
        ("{", "syntax error"),
    ]:
        (tmp_path / "values").write_text(text)
        refusal = ks("generate", "mixed", "other", "--values-file", str(tmp_path / "values"))
        assert refusal.status == 1
        assert message in refusal.err.replace('\\"', '"')
    assert ks("generate", "mixed", "other", "--values-file=nowhere").err.startswith(
        'level=error msg="opening values file: nowhere: cannot be read'
    )
    assert not (mine / "components/other.jsonnet").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "prototype name was not supplied as an argument"),
        (["--module", "x"], "prototype name was not supplied as an argument"),
        (["namespace"], "Command is missing argument 'componentName'"),
        (["namespace", "a", "b"], "Command has too many arguments (takes a prototype name and a component name)"),
        (["namespace", "a", "--bogus=1"], "parse preview args: unknown flag: --bogus"),
        (["namespace", "a", "--name"], "parse preview args: flag needs an argument: --name"),
        (["namespace", "a", "-x"], "parse preview args: unknown shorthand flag: 'x' in -x"),
        (["namespace", "a", "--=x"], "parse preview args: bad flag syntax: --=x"),
        (
            ["single-port-deployment", "a"],
            'failed to instantiate prototype "io.ksonnet.pkg.single-port-deployment". '
            "The following required parameters are missing:\n--image=<image> The image to run [type: string]",
        ),
        (
            ["deployed-service", "a", "--image=x", "--replicas=many"],
            "reading value from flag: Could not convert parameter 'replicas' to a number",
        ),
        (
            ["configMap", "a", "--data={"],
            "--data={ is not jsonnet: syntax error: it ends too early; an object is expected",
        ),
        (
            ["namespace", "a b"],
            'create component: "a b" is not a valid component name; '
            "it must not contain punctuation, dots, slashes or spaces",
        ),
    ],
)
def test_what_cannot_be_made_is_refused(app: Path, ks: Run, arguments: list[str], message: str) -> None:
    """An invalid request gets ksonnet's message, and nothing is written."""
    before = files(app)
    assert ks("generate", *arguments) == refused(message)
    assert files(app) == before


def test_a_component_is_made_once(app: Path, ks: Run) -> None:
    """A second component of that name is refused, whatever its kind."""
    assert ks("generate", "namespace", "web").status == 0
    before = files(app)
    assert ks("generate", "configMap", "web") == refused(
        'create component: component with name "web" in module "/" already exists'
    )
    assert files(app) == before


def test_flags_may_stand_anywhere(app: Path, ks: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Flags may come before the prototype and after the component, --dir included."""
    monkeypatch.chdir("/")
    arguments = ["generate", "--name", "x", "namespace", "-v", "web", "--dir", str(app)]
    assert ks(*arguments) == ok(err=written(app, "web"))
    assert ks("--dir", str(app), "generate", "namespace", "--", "two") == ok(err=written(app, "two"))


def test_help_describes_the_prototype(app: Path, ks: Run) -> None:
    """--help describes the prototype if one is named, or else the command."""
    assert ks("generate", "namespace", "--help") == ks("prototype", "describe", "namespace")
    assert ks("generate", "--help").out.startswith("usage: ks generate PROTOTYPE NAME ")
    assert ks("prototype", "preview", "-h").out.startswith("usage: ks prototype preview PROTOTYPE ")


def test_an_invalid_prototype_has_its_place(mine: Path, ks: Run) -> None:
    """The error has the file and the line of the invalid directive."""
    path = "vendor/mine/pkg/prototypes/deep/mixed.jsonnet"
    for broken, message in [
        ("// @name a\n\n// @bogus x\n", f'{path}:3: unknown prototype directive "bogus"'),
        ("// @name\n", f'{path}:1: "name" is not a valid directive'),
        ("// @name a\n// @param x text y\n", f"{path}:2: invalid param tag: unknown param type 'text'"),
        ("{}", f"{path}: this is not a prototype: it has no @name"),
    ]:
        (mine / path).write_text(broken)
        assert ks("prototype", "list") == refused(message)


def test_the_newest_version_of_a_package_has_its_prototypes(app: Path, ks: Run) -> None:
    """If environments pin several versions, the newest one's prototype counts."""
    for version in ("1.9.0", "1.10.0", "0a1b2c"):
        folder = app / f"vendor/r/p@{version}/prototypes"
        folder.mkdir(parents=True)
        (folder / "x.jsonnet").write_text(
            f"// @name my.x\n// @shortDescription of {version}\n// @param name string n\n{{}}"
        )
    spec = (app / "app.yaml").read_text()
    pins = "".join(
        f"{name}    libraries:\n      r/p: {{name: p, registry: r, version: {version}}}\n"
        for name, version in (
            ("", "1.9.0"),
            ("  two:\n    path: default\n", "1.10.0"),
            ("  three:\n    path: default\n", "0a1b2c"),
        )
    )
    (app / "app.yaml").write_text(spec.replace("kind: ksonnet.io/app", pins + "kind: ksonnet.io/app"))
    assert "my.x                                  of 1.10.0\n" in ks("prototype", "list").out


def test_the_stock_prototypes_have_ksonnets_parameters(app: Path, ks: Run) -> None:
    """Names, types and defaults of parameters are those of ksonnet 0.13, so its commands still work."""
    required = {
        "configMap": ["name string"],
        "deployed-service": ["name string", "image string"],
        "namespace": ["name string"],
        "single-port-deployment": ["name string", "image string"],
        "single-port-service": ["name string", "targetLabelSelector object"],
    }
    optional = {
        "configMap": ["data object {}"],
        "deployed-service": [
            *("servicePort number 80", "containerPort number 80", "replicas number 1", "type string ClusterIP")
        ],
        "namespace": [],
        "single-port-deployment": ["replicas number 1", "containerPort number 80"],
        "single-port-service": [
            *("servicePort number 80", "targetPort number 80", "protocol string TCP", "serviceType string ClusterIP")
        ],
    }
    for name in required:
        described = ks("prototype", "describe", f"io.ksonnet.pkg.{name}").out
        parameters = re.findall(r"--(\w+)=.*\[(?:default: (\S+), )?type: (\w+)\]", described)
        assert [f"{each} {kind}" for each, default, kind in parameters if not default] == required[name]
        assert [f"{each} {kind} {default}" for each, default, kind in parameters if default] == optional[name]


def test_the_stock_prototypes_render(app: Path, ks: Run) -> None:
    """They give ksonnet's objects for a current Kubernetes: apps/v1, with a selector."""
    for arguments in (
        ["configMap", "config", '--data={a: "b"}'],
        ["namespace", "space"],
        ["single-port-service", "service", "--targetLabelSelector={app: 'web'}", "--servicePort=8080"],
        ["single-port-deployment", "deployment", "--image=nginx"],
        ["deployed-service", "both", "--image=nginx", "--type=NodePort", "--replicas=3", "--containerPort=8080"],
    ):
        assert ks("generate", *arguments).status == 0

    def meta(name: str, labels: dict[str, str] | None = None) -> dict[str, object]:
        return {"name": name, "labels": {"ksonnet.io/component": name} | (labels or {})}

    def deployment(name: str, replicas: int, port: int) -> dict[str, object]:
        container = {"name": name, "image": "nginx", "ports": [{"containerPort": port}]}
        spec = {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}},
        }
        return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta(name), "spec": spec}

    def service(name: str, kind: str, app: str, **port: object) -> dict[str, object]:
        spec = {"type": kind, "selector": {"app": app}, "ports": [port]}
        return {"apiVersion": "v1", "kind": "Service", "metadata": meta(name), "spec": spec}

    assert json.loads(ks("show", "default", "-o", "json").out)["items"] == [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": meta("space", {"name": "space"})},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta("config"), "data": {"a": "b"}},
        service("both", "NodePort", "both", port=80, targetPort=8080),
        service("service", "ClusterIP", "web", protocol="TCP", port=8080, targetPort=80),
        deployment("both", 3, 8080),
        deployment("deployment", 1, 80),
    ]
