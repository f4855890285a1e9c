"""How scattered the code of one prediction is, as ``script/hops`` counts it."""

import subprocess
import sys
from pathlib import Path

HOPS = Path(__file__).parents[2] / "benchmarks" / "hops.py"

MOST = 28
"""It was 44 before the house was rebuilt."""


def test_one_prediction_seldom_returns_to_a_file_that_it_left() -> None:
    """A reader who follows one prediction through the code turns back to an earlier file at most 28 times."""
    printed = subprocess.run([sys.executable, str(HOPS)], capture_output=True, text=True, check=True).stdout
    returns, words = printed.split(maxsplit=1)
    assert words.startswith("returns to a file already left")
    assert 0 < int(returns) <= MOST
