"""Rendering by the rules of ksonnet (ksonnet-rules.md#rendering), with our repairs (ksonnet-rules.md#repairs)."""

import json
from pathlib import Path

import pytest

from scorekit.errors import RenderError
from scorekit.ks.io.disk import Directory
from scorekit.ks.io.gojsonnet import Jsonnet
from scorekit.ks.render.pipeline import RenderOptions, render

from ..conftest import APP, Render, config_map

ROOT = Path(__file__).parents[3]
# Prints what a component sees as its parameters.
SEEN = 'std.extVar("__ksonnet/params").components["a"]'
SHOW_PARAMS = config_map("a", seen=f"std.toString({SEEN})")


def test_an_app_renders_as_ksonnet_rendered_it() -> None:
    """An app of one SeldonDeployment gives exactly the JSON that ksonnet 0.13.1 prints."""
    golden = json.loads((ROOT / "tests/golden/ksonnet-0.13-app.json").read_text())
    assert render(Directory(ROOT / "tests/data/ksonnet-0.13-app"), Jsonnet(), environment="default") == golden["items"]
    [deployment] = golden["items"]
    [predictor] = deployment["spec"]["predictors"]
    [container] = predictor["componentSpecs"][0]["spec"]["containers"]
    assert deployment["metadata"]["name"] == "test-seldon-ml-score-api"
    assert container["image"] == "alexioannides/seldon-ml-score-component"
    assert (predictor["graph"]["name"], predictor["graph"]["type"]) == (container["name"], "MODEL")


def test_a_component_is_labelled(rendered: Render) -> None:
    """Each object gets its component's name as a label, next to its own (ksonnet-rules.md#rendering)."""
    files = {"components/a.jsonnet": '{ kind: "K", metadata: { labels: { app: "x" } } }'}
    assert rendered(files) == [
        {"kind": "K", "metadata": {"labels": {"app": "x", "ksonnet.io/component": "a"}}},
    ]


def test_an_array_is_a_list_and_flattened_one_level(rendered: Render) -> None:
    """Items of an array are objects; a List among them stays a List (ksonnet-rules.md#rendering)."""
    inner = '{ apiVersion: "v1", kind: "List", items: [{ kind: "Secret" }] }'
    files = {"components/a.jsonnet": f'[{{ kind: "Service" }}, {inner}]', "components/none.jsonnet": "[]"}
    service, kept = rendered(files)
    assert (service["kind"], kept["kind"], kept["items"]) == ("Service", "List", [{"kind": "Secret"}])
    assert kept["metadata"]["labels"] == {"ksonnet.io/component": "a"}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({}, {"x": "own", "only": "own"}, id="the module's own"),
        pytest.param(
            {
                "components/params.libsonnet": '{ global: { x: "global" }, '
                'components: { a: { x: "own", only: "own" } } }'
            },
            {"x": "global", "only": "own"},
            id="a global wins over the component",
        ),
        pytest.param(
            {"environments/default/globals.libsonnet": '{ x: "envglobal" }'},
            {"x": "envglobal", "only": "own"},
            id="a global of the environment wins over everything",
        ),
        pytest.param(
            {
                "environments/default/params.libsonnet": 'local params = std.extVar("__ksonnet/params"); '
                'params + { components+: { a+: { x: "env", was: super.x } } }'
            },
            {"x": "env", "only": "own", "was": "own"},
            id="the environment's over the module's",
        ),
        pytest.param(
            {"environments/default/params.libsonnet": 'import "../../components/params.libsonnet"'},
            {"x": "own", "only": "own"},
            id="the import that old environments have",
        ),
    ],
)
def test_parameters_have_a_precedence(rendered: Render, files: dict[str, str], expected: dict[str, str]) -> None:
    """Module, module globals, environment, environment globals: later ones win (ksonnet-rules.md#parameters)."""
    own = {"components/params.libsonnet": '{ global: {}, components: { a: { x: "own", only: "own" } } }'}
    [shown] = rendered({"components/a.jsonnet": SHOW_PARAMS, **own, **files})
    assert json.loads(shown["data"]["seen"]) == expected


def test_parameters_are_values_before_the_environment_sees_them(rendered: Render) -> None:
    """`y: self.x` keeps the module's `x` when an environment overrides it (ksonnet-rules.md#parameters)."""
    files = {
        "components/a.jsonnet": SHOW_PARAMS,
        "components/params.libsonnet": "{ components: { a: { x: 1, y: self.x } } }",
        "environments/default/params.libsonnet": 'std.extVar("__ksonnet/params") + { components+: { a+: { x: 2 } } }',
    }
    assert json.loads(rendered(files)[0]["data"]["seen"]) == {"x": 2, "y": 1}


def test_the_environment_is_known_to_components_and_params(rendered: Render) -> None:
    """Server and namespace are an external variable for both (ksonnet-rules.md#rendering)."""
    namespace = 'std.extVar("__ksonnet/environments").namespace'
    files = {
        "components/params.libsonnet": f"{{ components: {{ a: {{ n: {namespace} }} }} }}",
        "components/a.jsonnet": config_map("a", seen=f"{SEEN}.n", direct=namespace),
    }
    assert rendered(files)[0]["data"] == {"seen": "seldon", "direct": "seldon"}


def test_the_dollar_is_the_object_of_all_components(rendered: Render) -> None:
    """`$` in a component is the object of all components (ksonnet-rules.md#components-object)."""
    files = {"components/a.jsonnet": config_map("a", b="$.b.metadata.name"), "components/b.jsonnet": config_map("bee")}
    assert rendered(files, "a")[0]["data"] == {"b": "bee"}


def test_main_may_override_add_and_hide_components(rendered: Render) -> None:
    """`main.jsonnet` decides what is rendered."""
    files = {
        "components/a.jsonnet": config_map("a"),
        "components/b.jsonnet": config_map("b"),
        "environments/default/main.jsonnet": 'local base = import "base.libsonnet"; '
        'base + { a+: { data: { x: "main" } }, b:: super.b, extra: { kind: "Extra" } }',
    }
    shown = rendered(files)
    assert [(each["kind"], each.get("data")) for each in shown] == [("ConfigMap", {"x": "main"}), ("Extra", None)]
    assert rendered(files, "extra")[0]["metadata"]["labels"] == {"ksonnet.io/component": "extra"}


def test_variables_of_the_command_line(rendered: Render) -> None:
    """External variables reach components; top-level arguments reach a `main.jsonnet` that is a function."""
    files = {
        "components/a.jsonnet": config_map("a", v='std.extVar("v")'),
        "environments/default/main.jsonnet": 'function(k) (import "base.libsonnet") + { a+: { data+: { k: k } } }',
    }
    options = RenderOptions(ext_vars={"v": "1"}, tla_vars={"k": "two"})
    assert rendered(files, options=options)[0]["data"] == {"v": "1", "k": "two"}


def test_targets_choose_the_modules(rendered: Render) -> None:
    """Without targets only the root module is rendered; with targets only these (ksonnet-rules.md#components)."""
    web = 'local params = std.extVar("__ksonnet/params").components.web; { kind: "K", metadata: { name: params.name } }'
    module = '{ global: {}, components: { web: { name: "web" } } }'
    files = {
        "components/a.jsonnet": config_map("a"),
        "components/apps/params.libsonnet": module,
        "components/apps/web.jsonnet": web,
        "components/apps/deep/params.libsonnet": module,
        "components/apps/deep/web.jsonnet": web,
        "environments/default/params.libsonnet": 'std.extVar("__ksonnet/params") + { components+: '
        '{ "apps.web"+: { name: "front" }, "apps.deep.web"+: { name: "back" } } }',
    }
    assert [each["metadata"]["name"] for each in rendered(files)] == ["a"]
    targeted = {**files, "app.yaml": APP + "    targets: [apps/deep, apps]\n"}
    assert {
        each["metadata"]["labels"]["ksonnet.io/component"]: each["metadata"]["name"] for each in rendered(targeted)
    } == {
        "apps.web": "front",
        "apps.deep.web": "back",
    }
    with pytest.raises(RenderError, match='target "nope" is not valid'):
        rendered({**files, "app.yaml": APP + "    targets: [nope]\n"})


YAML = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: file, gone: soon}\n"


def test_parameters_patch_yaml_components(rendered: Render) -> None:
    """A YAML component is merged with its parameters; null removes a field (ksonnet-rules.md#rendering)."""
    files = {
        "components/a.yaml": YAML,
        "components/params.libsonnet": "{ components: { a: { data: { k: 'module', gone: null } } } }",
        "environments/default/params.libsonnet": 'std.extVar("__ksonnet/params") '
        "+ { components+: { a+: { data+: { e: 'env' } } } }",
    }
    assert rendered(files)[0]["data"] == {"k": "module", "e": "env"}


def test_globals_reach_yaml_components_only_where_they_fit(rendered: Render) -> None:
    """A global merges only into a field that the object has, never next to `kind` (ksonnet-rules.md#repair-globals)."""
    files = {
        "components/a.yaml": YAML,
        "components/params.libsonnet": "{ global: { replicas: 3, metadata: { annotations: { g: '1' } } }, "
        "components: { a: {} } }",
        "environments/default/globals.libsonnet": "{ e: 1 }",
    }
    [shown] = rendered(files)
    assert set(shown) == {"apiVersion", "kind", "metadata", "data"}
    assert shown["metadata"]["annotations"] == {"g": "1"}


def test_every_document_of_a_yaml_file_is_rendered(rendered: Render) -> None:
    """ksonnet rendered the first, which parameters still patch (ksonnet-rules.md#repair-documents)."""
    files = {
        "components/a.yaml": YAML + "---\n# nothing\n---\nkind: Secret\nmetadata: {name: s}\n",
        "components/params.libsonnet": "{ components: { a: { data: { k: 'module' } } } }",
    }
    secret, first = rendered(files)
    assert (secret["metadata"]["name"], first["data"]) == ("s", {"k": "module", "gone": "soon"})
    assert all(each["metadata"]["labels"] == {"ksonnet.io/component": "a"} for each in (secret, first))


def test_json_components(rendered: Render) -> None:
    """A .json file is a manifest; .yml and .libsonnet files are no components (ksonnet-rules.md#components)."""
    files = {"components/j.json": '{\n\t"kind": "J"\n}', "components/no.yml": "kind: N", "components/x.libsonnet": "{}"}
    assert [each["kind"] for each in rendered(files)] == ["J"]


FOLDERS = [
    "components",
    "vendor/reg/pkg@v2",
    "lib/ksonnet-lib/v1.8.0",
    "lib",
    "vendor",
    "environments/default",
    "environments",
    "/last",
    "/first",
]


@pytest.mark.parametrize("missing", range(len(FOLDERS)))
def test_imports_are_searched_last_added_first(rendered: Render, missing: int) -> None:
    """The order is components, pins, library, lib, vendor, environment, environments, -J from the last."""
    wanted = "reg/pkg/which.libsonnet"
    places = [f"{folder}/which.libsonnet" if "@" in folder else f"{folder}/{wanted}" for folder in FOLDERS]
    files = {path: json.dumps(path) for path in places[missing:]}
    app = APP + "libraries:\n  reg/pkg: {name: pkg, registry: reg, version: v2}\n"
    files |= {"app.yaml": app, "components/a.jsonnet": config_map("a", found=f'import "{wanted}"')}
    files["vendor/reg/pkg@v2/parts.yaml"] = "{}"
    options = RenderOptions(jpath=("/first", "/last"))
    assert rendered(files, options=options)[0]["data"] == {"found": places[missing]}


def test_a_file_looks_beside_itself_first_but_a_component_does_not(rendered: Render) -> None:
    """Libraries import relative to themselves, components along the search path (ksonnet-rules.md#imports)."""
    files = {
        "components/a.jsonnet": config_map("a", deep='import "p/x.libsonnet"'),
        "vendor/p/x.libsonnet": 'import "name.libsonnet"',
        "vendor/p/name.libsonnet": '"beside"',
        "components/name.libsonnet": '"first of the path"',
        "environments/default/main.jsonnet": '(import "base.libsonnet") '
        '+ { a+: { data+: { main: import "name.libsonnet" } } }',
        "environments/default/name.libsonnet": '"beside main"',
    }
    assert rendered(files)[0]["data"] == {"deep": "beside", "main": "first of the path"}


def test_a_pin_of_the_environment_wins_and_a_missing_one_warns(rendered: Render) -> None:
    """`<registry>/<pkg>` is the pinned version; a missing one gives a warning (ksonnet-rules.md#imports)."""
    app = APP + "    libraries:\n      reg/pkg: {name: pkg, registry: reg, version: v2}\n"
    app += "libraries:\n  reg/pkg: {name: pkg, registry: reg, version: v1}\n"
    app += "  r/old: {name: old, registry: r, version: x}\n"
    files = {
        "app.yaml": app,
        "components/a.jsonnet": config_map("a", v='import "reg/pkg/v.libsonnet"', old='import "r/old/v.libsonnet"'),
        "vendor/reg/pkg@v1/v.libsonnet": '"one"',
        "vendor/reg/pkg@v2/v.libsonnet": '(import "../../r/old/v.libsonnet") + "+two"',
        "vendor/r/old/v.libsonnet": '"unversioned"',
    }
    warnings: list[str] = []
    assert rendered(files, warn=warnings.append)[0]["data"] == {"v": "unversioned+two", "old": "unversioned"}
    assert warnings == ["skipping missing path vendor/r/old@x. Please run `ks upgrade`."]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        pytest.param(
            "{\n a: ]\n}", r'component "b" (components/b.jsonnet:2:5): syntax error: unexpected "]"', id="syntax"
        ),
        pytest.param("{", r'component "b" (components/b.jsonnet:1:2): syntax error: it ends too early', id="end"),
        pytest.param(
            'local params = std.extVar("__ksonnet/params").components.b;\n{ a: params.nmae }',
            'component "b" (components/b.jsonnet:2:6): Field does not exist: nmae',
            id="a parameter that is not there",
        ),
        pytest.param(
            "{ a:\n  missing }",
            'component "b" (components/b.jsonnet:2:3): Unknown variable: missing',
            id="variable",
        ),
        pytest.param('{ a: error "mine" }', 'component "b" (components/b.jsonnet:1:6): mine', id="its own error"),
        pytest.param(
            '{ a:\n import "no.libsonnet" }',
            'component "b" (components/b.jsonnet:2:2): couldn\'t open import "no.libsonnet": no match locally or in '
            "components, lib/ksonnet-lib/v1.8.0, lib, vendor, environments/default, environments",
            id="import",
        ),
        pytest.param(
            '{ a: import "broken.libsonnet" }',
            'component "b" (lib/broken.libsonnet:2:2): syntax error: unexpected "}"',
            id="in a library",
        ),
        pytest.param(
            "3", 'component "b" (components/b.jsonnet): a component must be an object or an array', id="number"
        ),
        pytest.param(
            "{ a: 1 }",
            'component "b" (components/b.jsonnet): a Kubernetes object needs a kind; '
            "the fields of this one: a, metadata",
            id="no kind",
        ),
        pytest.param(
            '{ a: std.native("regexMatch")("(", "x") }',
            'component "b" (components/b.jsonnet:1:6): the regular expression ( is not valid here',
            id="native",
        ),
    ],
)
def test_a_broken_component_is_named_and_blocks_no_other(rendered: Render, source: str, message: str) -> None:
    """Errors have places; -c avoids them (ksonnet-rules.md#repair-unknown-component)."""
    files = {
        "components/a.jsonnet": config_map("a"),
        "components/b.jsonnet": source,
        "components/params.libsonnet": '{ components: { b: { name: "n" } } }',
        "lib/broken.libsonnet": "{ x: 1 +\n }",
    }
    for wanted in ([], ["b"]):
        with pytest.raises(RenderError) as caught:
            rendered(files, *wanted)
        assert str(caught.value).startswith(message)
    assert [each["metadata"]["name"] for each in rendered(files, "a")] == ["a"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind: [1\nx: 2\n", 'component "b" (components/b.yaml:2:2): not YAML: '),
        ("", 'component "b" (components/b.yaml): it holds no object'),
        ("kind: K\n---\n- 1\n", 'component "b" (components/b.yaml): document 2 is not an object'),
    ],
)
def test_a_broken_yaml_component_is_named_and_blocks_no_other(rendered: Render, text: str, message: str) -> None:
    """The same holds for manifests."""
    files = {"components/a.jsonnet": config_map("a"), "components/b.yaml": text}
    with pytest.raises(RenderError) as caught:
        rendered(files)
    assert str(caught.value).startswith(message)
    assert len(rendered(files, "a")) == 1


def test_an_error_in_main_is_placed_in_main(rendered: Render) -> None:
    """A fault of main.jsonnet is not attributed to a component's file."""
    files = {
        "components/a.jsonnet": config_map("a"),
        "environments/default/main.jsonnet": 'local base = import "base.libsonnet";\nbase + { a+: { x: $.nowhere } }',
    }
    with pytest.raises(
        RenderError, match=r'^component "a" \(environments/default/main.jsonnet:2:19\): Field does not exist: nowhere'
    ):
        rendered(files)


def test_parameters_that_do_not_evaluate_block_their_component_alone(rendered: Render) -> None:
    """Faulty parameters fail their component and whatever uses them, and nothing else."""
    own = "{ components: { good: { n: 1 },\n  bad: { n: error 'mine' } } }"
    environment = (
        'local params = std.extVar("__ksonnet/params");\n'
        "params + { components+: { bad+: { m: 1 }, worse+: { n: [][0] } } }"
    )
    use = 'std.extVar("__ksonnet/params").components.%s'
    files = {
        "components/params.libsonnet": own,
        "environments/default/params.libsonnet": environment,
        "components/good.jsonnet": config_map("good", n=use % "good.n"),
        "components/bad.jsonnet": config_map("bad", n=use % "bad.n"),
        "components/worse.jsonnet": config_map("worse", n=use % "worse.n"),
        "components/user.jsonnet": config_map("user", n=use % "bad.n"),
    }
    assert rendered(files, "good")[0]["data"] == {"n": 1}
    for wanted in ([], ["bad"], ["good", "bad"]):
        with pytest.raises(RenderError, match=r"^components/params.libsonnet:2:13: mine$"):
            rendered(files, *wanted)
    with pytest.raises(RenderError, match=r"^environments/default/params.libsonnet:2:\d+: Index 0 out of bounds"):
        rendered(files, "worse")
    with pytest.raises(RenderError, match=r'^component "user" \(components/user.jsonnet:1:\d+\): .*mine$'):
        rendered(files, "user")


def test_numbers_in_strings_are_go_jsonnets(rendered: Render) -> None:
    """Numbers in strings have 17 digits, as in ksonnet."""
    files = {
        "components/a.jsonnet": config_map("a", half='"" + 0.5', third='"%s" % (1 / 3)', tenth="std.toString(0.1)")
    }
    assert rendered(files)[0]["data"] == {"half": "0.5", "third": "0.33333333333333331", "tenth": "0.10000000000000001"}


def test_an_error_in_params_is_placed_in_params(rendered: Render) -> None:
    """An error in either params file has its place."""
    with pytest.raises(RenderError, match=r"^components/params.libsonnet:2:18: Unknown variable: y"):
        rendered({"components/params.libsonnet": "{\n components: {a: y}}"})
    with pytest.raises(RenderError, match=r"^environments/default/params.libsonnet:1:1: oh"):
        rendered({"environments/default/params.libsonnet": 'error "oh"'})
    with pytest.raises(RenderError, match=r"^components/params.libsonnet: could not find components object in params"):
        rendered({"components/params.libsonnet": "{}"})


def test_an_unknown_component_is_an_error_that_lists_them(rendered: Render) -> None:
    """`-c` with a typo is an error that lists the names (ksonnet-rules.md#repair-unknown-component)."""
    files = {"components/a.jsonnet": config_map("a"), "components/b.yaml": YAML}
    with pytest.raises(RenderError, match=r'^there is no component "c" in environment "default"; it has: a, b$'):
        rendered(files, "a", "c")


def test_a_component_outside_of_the_targets_is_named_with_the_command_to_target_it(rendered: Render) -> None:
    """The error names the module and the command that targets it."""
    files = {"components/a.jsonnet": config_map("a"), "components/apps/web.jsonnet": config_map("web")}
    files["components/apps/params.libsonnet"] = "{ components: {} }"
    with pytest.raises(RenderError, match=r"it has: a\. Module apps has it: `ks env targets default --mod") as caught:
        rendered(files, "apps.web")
    assert str(caught.value).endswith("default --module / --module apps`")


def test_two_files_of_one_name_are_refused(rendered: Render) -> None:
    """The app does not say which of the two files is meant."""
    with pytest.raises(RenderError, match=r"components/a.jsonnet and components/a.yaml are the same component"):
        rendered({"components/a.jsonnet": config_map("a"), "components/a.yaml": YAML})
