"""ksonnet apps, made, edited and rendered to Kubernetes objects; nothing in here knows a cluster.

This room may import ``errors`` and ``manifests``, and its own rooms only downwards: prototypes, edits, render,
packages, params, engine, app, library, libsonnet (``io`` fulfils their interfaces). Begin with ``render.pipeline``; the
rules that everything follows are in ``docs/ksonnet-rules.md``. The rooms have faces of their own; this one only
names them, so that a base install without the extra ``ks`` can import it.
"""

__all__ = ["app", "edits", "engine", "io", "library", "libsonnet", "packages", "params", "prototypes", "render"]
