"""The files of a new app, module and environment, with ksonnet's own texts (ksonnet-rules.md#files-of-a-new-app)."""

import re
from typing import Literal

from ...errors import SetupError
from .spec_files import app_yaml
from .tree import WritableTree

DEFAULT_ENVIRONMENT = "default"
DEFAULT_API_SPEC = "version:v1.8.0"
INCUBATOR = {"incubator": {"protocol": "github", "uri": "github.com/ksonnet/parts/tree/master/incubator"}}
"""The registry that every app begins with."""

MODULE_PARAMS = """{
  global: {
    // User-defined global parameters; accessible to all component and environments, Ex:
    // replicas: 4,
  },
  components: {
    // Component-level parameters, defined initially from 'ks prototype use ...'
    // Each object below should correspond to a component in the components/ directory
  },
}
"""

_GITIGNORE = "/lib\n/.ksonnet/registries\n/app.override.yaml\n/.ks_environment\n"
_BASE = """local components = std.extVar("__ksonnet/components");
components + {
  // Insert user-specified overrides here.
}
"""
_MAIN = r"""local base = import "base.libsonnet";
// uncomment if you reference ksonnet-lib
// local k = import "k.libsonnet";
// local deployment = k.apps.v1beta2.deployment;

base + {
  // Insert user-specified overrides here. For example if a component is named \"nginx-deployment\", {SAY}
  // "nginx-deployment"+: deployment.mixin.metadata.withLabels({foo: "bar"})
}
""".replace("{SAY}", r'you might have something like:\n")')
_PARAMS = """local params = std.extVar("__ksonnet/params");
local globals = import "globals.libsonnet";
local envParams = params + {
  components +: {
    // Insert component parameter overrides here. Ex:
    // guestbook +: {
    //   name: "guestbook-dev",
    //   replicas: params.global.replicas,
    // },
  },
};

{
  components: {
    [x]: envParams.components[x] + globals, for x in std.objectFields(envParams.components)
  },
}
"""
_GLOBALS = "{\n}"  # without a final line end

_BAD_NAME = re.compile(r"""\s|[\\,;':!()?"{}\[\]*&%@$]|^/|/$|^$""")


def make_app(tree: WritableTree, name: str, registries: dict[str, dict[str, str]]) -> None:
    """The files of an app without environments, in an empty folder."""
    for folder in (".ksonnet/registries", "components", "environments", "lib", "vendor"):
        tree.make(folder)
    tree.write(".gitignore", _GITIGNORE)
    tree.write("components/params.libsonnet", MODULE_PARAMS)
    tree.write("environments/base.libsonnet", _BASE)
    spec = {"kind": "ksonnet.io/app", "name": name, "registries": registries, "version": "0.0.1"}
    tree.write("app.yaml", app_yaml(spec))


def make_environment(tree: WritableTree, name: str) -> None:
    """The files of an environment."""
    tree.write(f"environments/{name}/main.jsonnet", _MAIN)
    tree.write(f"environments/{name}/params.libsonnet", _PARAMS)
    tree.write(f"environments/{name}/globals.libsonnet", _GLOBALS)


def is_valid_name(name: str) -> bool:
    """Whether an environment or a component may be called so (ksonnet-rules.md#names), and stay inside its folder."""
    return not _BAD_NAME.search(name) and not {"", ".", ".."} & set(name.split("/"))


def api_spec(text: str) -> tuple[Literal["version", "file"], str]:
    """What ``--api-spec`` asks for: a version of Kubernetes, or that of a swagger file. Raises ``SetupError``."""
    kind, _, value = text.partition(":")
    if not value:
        raise SetupError(f"Invalid API specification '{text}'")
    if kind == "version":
        return "version", value
    if kind == "file":
        return "file", value
    if kind == "url":
        raise SetupError(f"--api-spec={text}: url: is not offered; fetch the file and say --api-spec=file:PATH")
    raise SetupError(f"Could not parse cluster spec '{text}'")
