"""`ks component …`, `ks module …` and `ks import`."""

import http.server
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import Run, files, info, ok, refused

MANY = """apiVersion: v1
kind: Service
metadata: {name: my.svc}  # kept
---
# nothing
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: dep
---
"""


def written(ran_err: str) -> list[str]:
    return re.findall(r"Writing component at '([^']*)'", ran_err)


def test_modules(ks: Run, app: Path) -> None:
    """A module is a folder with parameters. Names are checked (ksonnet-rules.md#repair-module-names)."""
    assert ks("module", "create", "foo.bar") == ok()
    assert (app / "components/foo/bar/params.libsonnet").read_text() == (
        app / "components/params.libsonnet"
    ).read_text()
    assert ks("module", "list") == ok("MODULE\n======\n/\nfoo.bar\n")
    assert ks("module", "list", "-o", "json") == ok(
        '{\n\t"kind": "moduleList",\n\t"data": [\n\t\t{\n\t\t\t"module": "/"\n\t\t},\n\t\t{\n'
        '\t\t\t"module": "foo.bar"\n\t\t}\n\t]\n}\n'
    )
    assert ks("module", "create", "foo.bar") == refused('module "foo.bar" already exists')
    for name in ("bad/name!", "../x", "a..b", ""):
        assert ks("module", "create", name).status == 1
    assert ks("module", "create") == refused("module create <module name>")
    assert ks("module", "list", "--env", "x").status == 1
    assert not (app.parent / "x").exists()


def test_an_object_that_the_server_names_is_listed_by_its_prefix(ks: Run, app: Path) -> None:
    """`component list` shows generateName where there is no name, instead of nothing."""
    (app / "components/run.yaml").write_text("apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: run-}\n")
    assert re.search(r"run +yaml +batch/v1 +Job +run-", ks("component", "list").out)


def test_import_makes_a_component_of_each_document(ks: Run, app: Path, tmp_path: Path) -> None:
    """Each is named `<kind>-<name>-<five letters>`, keeps its text, gets an entry in the parameters, and renders."""
    (tmp_path / "many.yaml").write_text(MANY)
    ran = ks("import", "-f", str(tmp_path / "many.yaml"))
    service, deployment = written(ran.err)
    assert (ran.status, ran.out) == (0, "")
    assert re.fullmatch(rf"{app}/components/service-my-svc-[a-z]{{5}}\.yaml", service)
    assert re.fullmatch(rf"{app}/components/deployment-dep-[a-z]{{5}}\.yaml", deployment)
    assert Path(service).read_text() == "apiVersion: v1\nkind: Service\nmetadata: {name: my.svc}  # kept\n"
    name = Path(service).stem
    assert f'    "{name}": {{\n\n    }},\n' in (app / "components/params.libsonnet").read_text()
    assert ks("component", "list").out.splitlines()[2:] == [
        f"{Path(deployment).stem} yaml apps/v1    Deployment dep",
        f"{name} yaml v1         Service    my.svc",
    ]
    assert ks("show", "default").out.count("---\n") == 2
    before = files(app)
    assert ks("param", "set", name, "spec.type", "NodePort") == ok()
    assert "type: NodePort" in ks("show", "default").out
    assert ks("param", "delete", name, "spec.type") == ok()
    assert files(app) == before


def test_import_keeps_the_names_of_json_and_jsonnet(ks: Run, app: Path, tmp_path: Path) -> None:
    """A JSON or jsonnet file keeps its name, in any module, which is made if needed."""
    for name in ("one.json", "two.jsonnet"):
        (tmp_path / name).write_text('{"kind": "K"}')
        assert ks("import", "-f", str(tmp_path / name), "--module", "m") == ok(
            err=info(f"Writing component at '{app}/components/m/{name}'")
        )
    assert ks("component", "list", "--module", "m") == ok(
        "COMPONENT TYPE    APIVERSION KIND NAME\n========= ====    ========== ==== ====\n"
        "m.one     json               K\nm.two     jsonnet\n"
    )
    assert ks("import", "-f", str(tmp_path / "one.json"), "--module", "m") == refused(
        'create component: component with name "one" in module "m" already exists'
    )


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.txt", "", "parse template type: Unrecognized template type 'txt'; must be one of: [yaml, json, jsonnet]"),
        ("a.yaml", "foo: 1", "document doesn't describe a kubernetes object: {}: it needs an apiVersion and a kind"),
        ("a.yaml", "apiVersion: v1\nkind: K", "unable to find metadata name of object in {}"),
        ("a.yaml", "a: [", "{}:2:1: not YAML: did not find expected node content"),
        (
            "a b.json",
            "{}",
            'create component: "a b" is not a valid component name; '
            "it must not contain punctuation, dots, slashes or spaces",
        ),
    ],
)
def test_import_refuses_before_it_writes(
    ks: Run, app: Path, tmp_path: Path, name: str, text: str, message: str
) -> None:
    """A folder is imported completely or not at all."""
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "0.yaml").write_text(MANY)
    (folder / name).write_text(text)
    before = files(app)
    shown = refused(message.replace("{}", str(folder / name)))
    assert ks("import", "-f", str(folder / name)) == shown
    ran = ks("import", "-f", str(folder))
    assert ran.status == 1
    if "create component" not in message:
        assert ran == shown
        assert files(app) == before


def test_import_of_nothing(ks: Run, app: Path) -> None:
    """A missing or unknown path gets ksonnet's message."""
    assert ks("import") == refused("path is required")
    assert ks("import", "-f", "/no/such") == refused("/no/such does not exist")
    assert ks("import", "-f", "app.yaml", "--module", "../x").status == 1


BROKEN = {"/not-http": b"SSH-2.0-x\r\n", "/cut.json": b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}"}


@pytest.fixture
def web_server() -> Iterator[str]:
    """A server that answers /svc.yaml and /named (whose file name is in a header), and 404 for anything else."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path in BROKEN:
                self.wfile.write(BROKEN[self.path])
                return
            known = self.path in ("/svc.yaml?x=1", "/named")
            self.send_response(200 if known else 404)
            if self.path == "/named":
                self.send_header("Content-Disposition", 'attachment; filename="../../one.json"')
            self.end_headers()
            self.wfile.write(MANY.encode() if "yaml" in self.path else b"{}")

        def log_message(self, *arguments: object) -> None:
            """Print no log."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_import_from_the_web(ks: Run, app: Path, web_server: str) -> None:
    """The name of the file comes from the URL or the server, and never leaves the folder."""
    assert len(written(ks("import", "-f", f"{web_server}/svc.yaml?x=1").err)) == 2
    assert written(ks("import", "-f", f"{web_server}/named").err) == [f"{app}/components/one.json"]
    assert ks("import", "-f", f"{web_server}/no.yaml") == refused(
        f"unable to download {web_server}/no.yaml: 404 Not Found"
    )
    assert ks("import", "-f", f"{web_server}/").status == 1
    for broken in (f"{web_server}/a b", "http://[::1", *(web_server + path for path in BROKEN)):
        ran = ks("import", "-f", broken)
        assert ran.status == 1
        assert f"unable to download {broken}: " in ran.err


@pytest.mark.parametrize("extension", ["json", "yaml", "jsonnet"])
def test_rm_removes_the_file_and_all_parameters(ks: Run, app: Path, extension: str) -> None:
    """`rm` works for every extension, and keeps the rest (ksonnet-rules.md#repair-component-rm)."""
    before = files(app)
    ks("module", "create", "m")
    kept = files(app)
    for module in ("/", "m"):
        (app.parent / f"x.{extension}").write_text("apiVersion: v1\nkind: K\nmetadata: {name: n}")
        ks("import", "-f", str(app.parent / f"x.{extension}"), "--module", module)
    for name in sorted(re.findall(r"^(\S*x|\S*k-n-\w+) ", ks("component", "list").out, re.MULTILINE)):
        ks("param", "set", name, "a", "1", "--env", "default")
        assert ks("component", "rm", name) == ok(
            err=info("removing environment component", component_name=name)
            + info("Removing component parameter references ...")
            + info(f'Deleting component "{name}"')
            + info(f"Successfully deleted component '{name}'")
        )
    assert files(app) == kept
    assert kept.keys() - before.keys() == {"components/m/params.libsonnet"}


def test_rm_of_an_unknown_component(ks: Run, app: Path) -> None:
    """An unknown component gets ksonnet's message."""
    assert ks("component", "rm", "x") == refused('"x" is not a component or a module')
    assert ks("component", "rm") == refused("'component rm' takes a single argument, that is the name of the component")


def test_rm_changes_nothing_if_it_cannot_change_all(ks: Run, app: Path) -> None:
    """A file that cannot be edited stops `rm` before any change, unless it does not mention the component."""
    (app / "components/web.jsonnet").write_text("{}")
    (app / "components/params.libsonnet").write_text("{ components: { web: { a: 1 } } }")
    environment = app / "environments/default/params.libsonnet"
    environment.write_text('import "x" // web')
    before = files(app)
    ran = ks("component", "rm", "web")
    assert ran.status == 1
    assert "environments/default/params.libsonnet:1: params is an import" in ran.err
    assert files(app) == before
    environment.write_text('import "x"')
    assert ks("component", "rm", "web").status == 0
    assert (app / "components/params.libsonnet").read_text() == "{ components: {} }"
    assert not (app / "components/web.jsonnet").exists()
