"""The jsonnet library of Kubernetes (ksonnet-rules.md#library): generated from an OpenAPI file, or from the wheel.

This room may import ``errors`` and ``ks.libsonnet``. Begin with ``k8s_libsonnet``, which shows the text that is
generated; ``swagger`` reduces an OpenAPI file, ``bundled`` answers imports from the wheel.
"""

from .bundled import bundled_import
from .k8s_libsonnet import generate_library

__all__ = ["bundled_import", "generate_library"]
