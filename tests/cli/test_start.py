"""`scorekit serve` starts without modules that it does not need."""

import subprocess
import sys

# Of the other half, of testing, of the user's model: each takes tens of milliseconds or more to import.
HEAVY = ["yaml", "_gojsonnet", "hypothesis", "pytest", "grpc", "h2", "sklearn", "scipy", "flask", "multiprocessing"]


def test_the_server_imports_nothing_heavy_that_it_does_not_need() -> None:
    """Neither ksonnet's half nor the tester's, nor a process pool."""
    code = f"import sys, scorekit.cli.serve, scorekit.serve.server; print([n for n in {HEAVY} if n in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"
