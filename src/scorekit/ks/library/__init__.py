"""The jsonnet library of a version of Kubernetes, from its OpenAPI description (ksonnet-rules.md#library)."""

from .generate import generate_library

__all__ = ["generate_library"]
