"""Parameters of components: resolved for an environment, listed, and edited in the files that hold them.

This room may import ``ks.app``, ``ks.engine``, ``ks.libsonnet`` and ``manifests``. Begin with ``resolution``, which
draws the layers; ``edits`` changes files, ``values`` parses what a command line sets, ``tables`` prints. The face has
only what rendering needs, so that ``ks show`` does not load the editor of jsonnet.
"""

from .resolution import Params, load_params, own_params

__all__ = ["Params", "load_params", "own_params"]
