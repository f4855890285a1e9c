"""Ways to a model server under test: each is a ``verify.wire.Transport``."""
