"""The Kubernetes objects of an environment: an app's files in, objects out, without a cluster.

This room may import ``ks.app``, ``ks.params``, ``ks.engine`` and ``manifests``. Begin with ``pipeline``, which follows
the steps of ksonnet; ``components_object`` makes one jsonnet object of all components.
"""

from .pipeline import RenderOptions, render

__all__ = ["RenderOptions", "render"]
