"""The files of a new app, module and environment, with ksonnet's own texts (ksonnet-rules.md#files-of-a-new-app)."""

from .spec_files import app_yaml
from .tree import WritableTree

DEFAULT_ENVIRONMENT = "default"
DEFAULT_API_SPEC = "version:v1.8.0"
INCUBATOR = {"incubator": {"protocol": "github", "uri": "github.com/ksonnet/parts/tree/master/incubator"}}
"""The registry that ``ks init`` adds to every app."""

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
_GLOBALS = "{\n}"  # ksonnet writes no final line end here


def make_app(tree: WritableTree, name: str, registries: dict[str, dict[str, str]]) -> None:
    """Write the files of an app without environments into an empty folder."""
    for folder in (".ksonnet/registries", "components", "environments", "lib", "vendor"):
        tree.make(folder)
    tree.write(".gitignore", _GITIGNORE)
    tree.write("components/params.libsonnet", MODULE_PARAMS)
    tree.write("environments/base.libsonnet", _BASE)
    spec = {"kind": "ksonnet.io/app", "name": name, "registries": registries, "version": "0.0.1"}
    tree.write("app.yaml", app_yaml(spec))


def make_environment(tree: WritableTree, name: str) -> None:
    """Write the files of a new environment."""
    tree.write(f"environments/{name}/main.jsonnet", _MAIN)
    tree.write(f"environments/{name}/params.libsonnet", _PARAMS)
    tree.write(f"environments/{name}/globals.libsonnet", _GLOBALS)
