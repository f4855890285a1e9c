"""Kubernetes: which cluster, as whom, and the requests themselves."""
