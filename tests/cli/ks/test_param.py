"""`ks param …`: stdout, stderr and the content of files."""

from pathlib import Path

import pytest

from .conftest import Run, files, info, ok, refused

NOT_FOUND = (
    'could not find component: extracting module and component names from no: "no" is not a component or a module'
)

PARAMS = """{
  global: {
    port: 8080,  // shared
  },
  components: {
    // about web
    web: {
      replicas: 2,  // enough
      image: 'nginx',
      port: $.global.port,
    },
  },
}"""
ENVIRONMENT = "environments/default/params.libsonnet"
GLOBALS = "environments/default/globals.libsonnet"


@pytest.fixture
def web(app: Path) -> Path:
    """An app with a component whose parameters have comments and a value that is not a literal."""
    (app / "components/web.jsonnet").write_text("{}")
    (app / "components/params.libsonnet").write_text(PARAMS)
    return app


def params(app: Path) -> str:
    return (app / "components/params.libsonnet").read_bytes().decode()


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ("replicas", "3", "replicas: 3,  // enough"),
        ("replicas", "1.5", "replicas: 1.5,  // enough"),
        ("replicas", "-1", "replicas: -1,  // enough"),
        ("replicas", "+5", "replicas: 5,  // enough"),
        ("replicas", "TRUE", "replicas: true,  // enough"),
        ("replicas", "1.2.3", "replicas: '1.2.3',  // enough"),
        ("replicas", "007", "replicas: '007',  // enough"),
        ("replicas", "1e3", "replicas: '1e3',  // enough"),
        ("replicas", "null", "replicas: 'null',  // enough"),
        ("replicas", '[1, {"a": null}]', "replicas: [1, {\n        a: null,\n      }],  // enough"),
        ("replicas", '{"a": 1}', "replicas: {\n        a: 1,\n      },  // enough"),
        ("image", "it's", 'image: "it\'s",'),
        ("image", '"quoted"', "image: '\"quoted\"',"),
        ("image", "repo/name:v1@sha256:00", "image: 'repo/name:v1@sha256:00',"),
        ("port", "80", "port: 80,"),
    ],
)
def test_set_changes_one_value_and_nothing_else(ks: Run, web: Path, path: str, value: str, line: str) -> None:
    """Numbers are numbers; comments, quotes and expressions stay (ksonnet-rules.md#repair-edits)."""
    assert ks("param", "set", "web", path, value) == ok()
    old = next(each for each in PARAMS.split("web: {")[1].split("\n") if each.strip().startswith(path + ":"))
    assert params(web) == PARAMS.replace(old.strip(), line)


def test_as_string_and_new_paths(ks: Run, web: Path) -> None:
    """A path makes the objects on its way; deleting it restores the file byte for byte."""
    assert ks("param", "set", "web", "tag", "10", "--as-string") == ok()
    assert "      tag: '10',\n" in params(web)
    assert ks("param", "delete", "web", "tag") == ok()
    assert ks("param", "set", "web", "resources.limits.cpu", "0.5") == ok()
    assert "      resources+: {\n        limits+: {\n          cpu: 0.5,\n        },\n      },\n" in params(web)
    assert ks("param", "list", "web").out.endswith("web       resources { limits: {\n  cpu: 0.5,\n} }\n")
    assert ks("param", "unset", "web", "resources.limits.cpu") == ok()
    assert params(web) == PARAMS
    assert ks("param", "delete", "web", "nothing") == ok()
    assert params(web) == PARAMS


def test_line_ends_stay(ks: Run, web: Path) -> None:
    """A file with CRLF keeps these line ends, also in new lines."""
    text = PARAMS.replace("\n", "\r\n")
    (web / "components/params.libsonnet").write_bytes(text.encode())
    assert ks("param", "set", "web", "new", "1") == ok()
    assert params(web) == text.replace("port,\r\n", "port,\r\n      new: 1,\r\n")
    assert ks("param", "delete", "web", "new") == ok()
    assert params(web) == text


def test_a_module_and_a_component_without_an_entry(ks: Run, app: Path) -> None:
    """The part before the dot is the module; an entry that `set` makes is removed with its last parameter."""
    ks("module", "create", "apps")
    (app / "components/apps/api.yaml").write_text("kind: K")
    before = files(app)
    assert ks("param", "set", "apps.api", "spec.n", "1") == ok()
    assert "    api+: {\n      spec+: {\n        n: 1,\n" in (app / "components/apps/params.libsonnet").read_text()
    assert ks("param", "list", "--module", "apps").out.endswith("api       spec  { n: 1 }\n")
    assert ks("param", "delete", "apps.api", "spec.n") == ok()
    assert files(app) == before


def test_an_environments_own_values(ks: Run, web: Path) -> None:
    """--env splits dots, honours --as-string and looks for the component (ksonnet-rules.md#repair-env-params)."""
    before = (web / ENVIRONMENT).read_text()
    log = info("setting environment component", component_name="web")
    assert ks("param", "set", "web", "replicas", "5", "--env", "default", "--as-string") == ok(err=log)
    assert ks("param", "set", "--env=default", "web", "a.b", "1.5") == ok(err=log)
    assert (
        '    // },\n    web+: {\n      replicas: "5",\n      a+: {\n        b: 1.5,\n      },\n    },\n  },\n'
        in (web / ENVIRONMENT).read_text()
    )
    gone = info("removing environment component", component_name="web")
    assert ks("param", "delete", "web", "a.b", "--env", "default") == ok(err=gone)
    assert ks("param", "delete", "web", "replicas", "--env", "default") == ok(err=gone)
    assert (web / ENVIRONMENT).read_text() == before
    assert params(web) == PARAMS


def test_an_environments_globals(ks: Run, web: Path) -> None:
    """Two arguments with --env write globals.libsonnet, where numbers stay numbers."""
    log = info("setting environment globals")
    assert ks("param", "set", "n", "5", "--env", "default") == ok(err=log)
    assert ks("param", "set", "o.p", "x", "--env", "default") == ok(err=log)
    assert (web / GLOBALS).read_text() == '{\n  n: 5,\n  o+: {\n    p: "x",\n  },\n}'
    for name in ("n", "o.p"):
        assert ks("param", "delete", name, "--env", "default") == ok(err=info("removing environment global", name=name))
    assert (web / GLOBALS).read_text() == "{\n}"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["set"], "invalid arguments for 'param set'"),
        (["set", "web", "x", ""], "value is invalid: value was blank"),
        (["set", "web", "x", "[1"], "value is invalid: array value is badly formatted: [1"),
        (["set", "web", "x", "{bad"], "value is invalid: map value is badly formatted: {bad"),
        (
            ["set", "web", "x", "12345678901234567890"],
            "value is invalid: 12345678901234567890 loses digits as a number; --as-string keeps it as text",
        ),
        (["set", "x", "1"], "unable to find component x"),
        (["set", "/", "x", "1"], "unable to find component x"),
        (
            ["set", "no", "x", "1"],
            NOT_FOUND,
        ),
        (
            ["set", "no", "x", "1", "--env", "default"],
            NOT_FOUND,
        ),
        (["set", "web", "x", "1", "--env", "no"], 'environment "no" was not found; this app has: default'),
        (["set", "web", "a..b", "1"], '"a..b" is not a valid path of a parameter: write names with dots between them'),
        (
            ["set", "web", "port.number", "1"],
            "components/params.libsonnet:10: components.web.port is a reference, not an object that can be edited in "
            "place; change this line by hand",
        ),
        (
            ["set", "web", "image.tag", "1"],
            "components/params.libsonnet:9: components.web.image is a string, not an object; change this line by hand",
        ),
        (["delete", "web"], "invalid component or param key"),
        (["delete"], "invalid arguments for 'param delete'"),
        (
            ["diff", "default"],
            "'param diff' takes exactly two arguments: the respective names of the environments being diffed",
        ),
        (["list", "--module", "no"], 'could not find module: unable to find module "no"'),
        (["list", "-o", "x"], 'detecting output format: unknown output format "x"'),
    ],
)
def test_what_is_refused_changes_nothing(ks: Run, web: Path, arguments: list[str], message: str) -> None:
    """A refusal has exit status 1, ksonnet's message if it had one, and the line to change by hand."""
    before = files(web)
    ran = ks("param", *arguments)
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.endswith(refused(message).err)
    assert files(web) == before


def test_an_invalid_file_is_left_as_it_is(ks: Run, web: Path) -> None:
    """An invalid file is not written; the error has the line of the fault."""
    (web / "components/params.libsonnet").write_text("{\n components: ]\n}")
    assert ks("param", "set", "web", "a", "1") == refused('components/params.libsonnet:2: syntax error: unexpected "]"')


VALUES = """{ components: { web: {
  a: {}, b: [], c: null, d: 1.5, f: { x: [], y: {}, z: [[1, 2], [{ a: 1 }]] }, g: [[1], []], h: true, i: "multi\\nline",
  j: "it's", k: 'say "x"', l: "both' and \\"", m: [{ a: 1, b: 2 }, "x"], n: "é", o: { "a-b": { c: { d: 1 } }, "if": 1 },
  p: 1e21, q: 0.1, t: "back\\\\slash", w: std.length("abc"),
}, "a-b": { x: -3 } } }"""
# What the original printed for this file.
LISTED = r"""COMPONENT PARAM VALUE
========= ===== =====
a-b       x     -3
web       a     {}
web       b     []
web       c     null
web       d     1.5
web       f     { x: [], y: {}, z: [
  [
    1,
    2,
  ],
  [
    {
      a: 1,
    },
  ],
] }
web       g     [[
  1,
], []]
web       h     true
web       i     'multi\nline'
web       j     "it's"
web       k     'say "x"'
web       l     "both' and \""
web       m     [{
  a: 1,
  b: 2,
}, 'x']
web       n     'é'
web       o     { "a-b": {
  c: {
    d: 1,
  },
}, "if": 1 }
web       p     1000000000000000000000
web       q     0.10000000000000001
web       t     'back\\slash'
web       w     3
"""


def test_list_prints_what_the_original_did(ks: Run, web: Path) -> None:
    """The table has every kind of value, and can be JSON or limited to one component."""
    (web / "components/params.libsonnet").write_text(VALUES)
    assert ks("param", "list") == ok(LISTED)
    assert ks("param", "list", "--env", "default") == ok(LISTED)
    assert ks("param", "list", "a-b") == ok("COMPONENT PARAM VALUE\n========= ===== =====\na-b       x     -3\n")
    assert ks("param", "list", "a-b", "-o", "json") == ok(
        '{\n\t"kind": "paramList",\n\t"data": [\n\t\t{\n\t\t\t"component": "a-b",\n\t\t\t"param": "x",\n'
        '\t\t\t"value": "-3"\n\t\t}\n\t]\n}\n'
    )
    assert ks("param", "list", "none") == ok("COMPONENT PARAM VALUE\n========= ===== =====\n")


def test_list_of_an_environment_has_its_overrides(ks: Run, web: Path) -> None:
    """The list includes globals; --without-modules limits it to what the environment itself sets."""
    (web / "components/params.libsonnet").write_text('{ components: { web: { a: 1, b: "x" } } }')
    ks("param", "set", "web", "a", "2", "--env", "default")
    ks("param", "set", "g", "<", "--env", "default")
    head = "COMPONENT PARAM VALUE\n========= ===== =====\n"
    assert ks("param", "list", "--env", "default") == ok(
        head + "web       a     2\nweb       b     'x'\nweb       g     '<'\n"
    )
    assert ks("param", "list", "--env", "default", "--without-modules") == ok(
        head + "web       a     2\nweb       g     '<'\n"
    )
    assert '"value": "\'\\u003c\'"' in ks("param", "list", "--env", "default", "-o", "json").out


def test_diff_of_two_environments(ks: Run, web: Path) -> None:
    """Changed values come first, then those of one environment; the exit status is 0."""
    (web / "components/params.libsonnet").write_text('{ components: { web: { a: 1, b: "x", c: [1], same: 1 } } }')
    ks("env", "add", "other", "--server=s")
    assert ks("param", "diff", "default", "other") == ok("COMPONENT PARAM ENV1 ENV2\n========= ===== ==== ====\n")
    for name, path, value in (
        ("default", "one", "true"),
        ("other", "b", "y"),
        ("other", "c", '[1,{"d":"<"}]'),
        ("other", "two", "0.1"),
    ):
        ks("param", "set", "web", path, value, "--env", name)
    assert ks("param", "diff", "default", "other", "--component", "web") == ok(
        "COMPONENT PARAM ENV1 ENV2\n========= ===== ==== ====\n"
        'web       b     "x"  "y"\nweb       c     [1]  [1,{"d":"\\u003c"}]\nweb       one   true\n'
        "web       two        0.1\n"
    )
    assert ks("param", "diff", "default", "other", "--component", "x").out.count("\n") == 2
    assert ks("param", "diff", "default", "no") == refused(
        'environment "no" was not found; this app has: default, other'
    )
