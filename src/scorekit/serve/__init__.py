"""The serving edge: sockets, signals and the event loop."""
