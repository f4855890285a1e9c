"""Parameters of components: resolved for an environment, listed, and edited in the files that hold them.

This room may import ``ks.app``, ``ks.engine``, ``ks.libsonnet`` and ``manifests``. Begin with ``resolution``, which
draws the layers; ``edits`` changes files, ``values`` parses what a command line sets, ``tables`` prints.
"""

from .edits import append_component, delete_env_param, delete_global, delete_param, set_env_param, set_global, set_param
from .resolution import Params, load_params, own_params
from .tables import difference_rows, environment_rows, module_rows
from .values import parse_value

__all__ = [
    "Params",
    "append_component",
    "delete_env_param",
    "delete_global",
    "delete_param",
    "difference_rows",
    "environment_rows",
    "load_params",
    "module_rows",
    "own_params",
    "parse_value",
    "set_env_param",
    "set_global",
    "set_param",
]
