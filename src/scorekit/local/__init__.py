"""Processes on this machine in place of pods: the nodes of an app, and a real Envoy in front."""
