"""Kubernetes objects as plain dictionaries: read from YAML, extracted from components, ordered, printed."""
