"""`ks upgrade`, and apps that need it."""

from pathlib import Path

import pytest

from .conftest import Run, files, ok

OLD = """apiVersion: 0.1.0
environments:
  default:
    destination:
      namespace: seldon
      server: https://localhost:6443
    k8sVersion: v1.8.0
    path: default
    targets: [a/b, /, c]
kind: ksonnet.io/app
name: ksonnet-app
version: 0.0.1
registries:
  inc:
    gitVersion: {commitSha: abc, refSpec: master}
    protocol: github
    uri: github.com/ksonnet/parts/tree/master/incubator
libraries:
  nginx:
    name: nginx
    registry: inc
    gitVersion: {commitSha: abc, refSpec: master}
"""
NEW = """apiVersion: 0.3.0
environments:
  default:
    destination:
      namespace: seldon
      server: https://localhost:6443
    k8sVersion: v1.8.0
    path: default
    targets:
    - a.b
    - /
    - c
kind: ksonnet.io/app
libraries:
  inc/nginx:
    name: nginx
    registry: inc
    version: abc
name: ksonnet-app
registries:
  inc:
    protocol: github
    uri: github.com/ksonnet/parts/tree/master/incubator
version: 0.0.1
"""
WARNINGS = (
    'level=warning msg="Versioned packages stored in unversioned paths."\n'
    'level=warning msg="Your application must be upgraded to work with this version of ksonnet. '
    'Please run `ks upgrade` proceed."\n'
)


@pytest.fixture
def old(app: Path) -> Path:
    """An app of 2017."""
    (app / "app.yaml").write_text(OLD)
    for path in ("lib/v1.8.0/k.libsonnet", "lib/other/x", "vendor/inc/nginx/parts.yaml"):
        (app / path).parent.mkdir(parents=True)
        (app / path).write_text("name: nginx")
    for module in ("a/b", "c"):
        (app / "components" / module).mkdir(parents=True)
        (app / "components" / module / "params.libsonnet").write_text("{ components: {} }")
    return app


def test_an_old_app_works_with_two_warnings(ks: Run, old: Path) -> None:
    """Every command prints ksonnet's warnings on stderr, and works."""
    assert ks("show", "default").status == 0
    ran = ks("module", "list", "--env", "default")
    assert (ran.out, ran.err) == ("MODULE\n======\n/\na.b\nc\n", WARNINGS)
    assert (old / "app.yaml").read_text() == OLD


def test_a_dry_run_says_what_would_be_done(ks: Run, old: Path) -> None:
    """A dry run changes nothing; ksonnet's wrote app.yaml all the same."""
    before = files(old)
    assert ks("upgrade", "--dry-run") == ok(
        "[dry run] Updating ksonnet-lib paths\n"
        f'[dry run] Moving "v1.8.0" from {old}/lib/v1.8.0 to {old}/lib/ksonnet-lib/v1.8.0\n'
        "[dry run] Updating vendored packages\n"
        f'[dry run] Moving "inc/nginx@abc" from {old}/vendor/inc/nginx to {old}/vendor/inc/nginx@abc\n'
    )
    assert files(old) == before


def test_an_upgrade_moves_and_rewrites(ks: Run, old: Path) -> None:
    """The result is what ksonnet leaves; a second upgrade changes nothing."""
    assert ks("upgrade") == ok(f'Moving "v1.8.0" from {old}/lib/v1.8.0 to {old}/lib/ksonnet-lib/v1.8.0\n')
    assert (old / "app.yaml").read_text() == NEW
    found = files(old)
    assert {"lib/ksonnet-lib/v1.8.0/k.libsonnet", "lib/other/x", "vendor/inc/nginx@abc/parts.yaml"} <= set(found)
    assert not (old / "vendor/inc/nginx").exists()
    assert ks("upgrade") == ok()
    assert ks("env", "list").err == ""
    assert files(old) == found


def test_an_app_of_0_2_0_and_its_override(ks: Run, old: Path) -> None:
    """In 0.2.0 libraries have versions already; the override is rewritten too."""
    (old / "app.yaml").write_text(
        OLD.replace("0.1.0", "0.2.0")
        .replace("    gitVersion: {commitSha: abc, refSpec: master}\n", "", 1)
        .replace("gitVersion: {commitSha: abc, refSpec: master}", "version: abc")
    )
    (old / "app.override.yaml").write_text(
        "apiVersion: 0.1.0\nkind: ksonnet.io/app-override\nregistries:\n  mine: {protocol: fs, uri: ./x}\n"
    )
    assert "Application override should be upgraded." in ks("env", "list").err
    assert ks("upgrade").status == 0
    assert (old / "app.yaml").read_text() == NEW
    assert (old / "app.override.yaml").read_text() == (
        "apiVersion: 0.3.0\nkind: ksonnet.io/app-override\nregistries:\n  mine:\n    protocol: fs\n    uri: ./x\n"
    )


def test_any_change_of_app_yaml_migrates_it(ks: Run, old: Path) -> None:
    """A change writes schema 0.3.0; folders stay where they are."""
    assert ks("env", "set", "default", "--namespace", "seldon").status == 0
    assert (old / "app.yaml").read_text() == NEW
    assert (old / "vendor/inc/nginx/parts.yaml").exists()
