"""ksonnet without the cluster: an app's files in, Kubernetes objects out; all I/O is behind ``Tree``."""
