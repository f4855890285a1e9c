"""The jsonnet library of a version of Kubernetes, from its OpenAPI description (ksonnet-rules.md#library)."""

from .k8s_libsonnet import generate_library

__all__ = ["generate_library"]
