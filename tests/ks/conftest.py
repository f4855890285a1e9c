"""Apps in memory, with the files of a new ksonnet app."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from scorekit.ks.io.gojsonnet import Jsonnet
from scorekit.ks.render.pipeline import RenderOptions, render
from scorekit.testing import MemoryTree

APP = """
apiVersion: 0.3.0
kind: ksonnet.io/app
name: fake
version: 0.0.1
environments:
  default:
    path: default
    k8sVersion: v1.8.0
    destination: {server: "https://example.test", namespace: seldon}
"""
PARAMS = """
local params = std.extVar("__ksonnet/params");
local globals = import "globals.libsonnet";
local envParams = params + { components +: {} };
{ components: { [x]: envParams.components[x] + globals, for x in std.objectFields(envParams.components) } }
"""

Render = Callable[..., list[dict[str, Any]]]


def config_map(name: str, **data: str) -> str:
    """The source of a component: a ConfigMap whose data are jsonnet expressions."""
    fields = ", ".join(f"{key}: {value}" for key, value in data.items())
    return f'{{ apiVersion: "v1", kind: "ConfigMap", metadata: {{ name: "{name}" }}, data: {{ {fields} }} }}'


def fake_app(files: Mapping[str, str], environment: str = "default") -> MemoryTree:
    """The files of a new app, with ``files`` added."""
    folder = f"environments/{environment}"
    return MemoryTree(
        {
            "app.yaml": APP,
            "components/params.libsonnet": "{ global: {}, components: {} }",
            "environments/base.libsonnet": 'std.extVar("__ksonnet/components") + {}',
            f"{folder}/main.jsonnet": 'local base = import "base.libsonnet"; base + {}',
            f"{folder}/params.libsonnet": PARAMS,
            f"{folder}/globals.libsonnet": "{\n}",
            **files,
        }
    )


@pytest.fixture
def rendered() -> Render:
    """Renders the fake app with these files added: ``rendered(files, *components, …)``."""

    def call(
        files: Mapping[str, str],
        *components: str,
        environment: str = "default",
        options: RenderOptions | None = None,
        warn: Callable[[str], None] = lambda message: None,
    ) -> list[dict[str, Any]]:
        return render(
            fake_app(files, environment),
            Jsonnet(),
            environment=environment,
            components=components,
            options=options,
            warn=warn,
        )

    return call
