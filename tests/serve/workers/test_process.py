"""How the exit of a worker is described. tests/e2e runs real workers."""

from pathlib import Path

import pytest

from scorekit.serve.workers.memory_limit import memory_limit_mib
from scorekit.serve.workers.process import exit_words


@pytest.mark.parametrize(
    ("code", "words"), [(3, "with status 3"), (-9, "by SIGKILL (perhaps out of memory"), (-40, "by signal 40")]
)
def test_every_exit_has_words(code: int, words: str) -> None:
    """Statuses and signals are described, even signals without a name, such as those that profilers use."""
    assert exit_words(code).startswith(words)


@pytest.mark.parametrize(
    ("text", "mib"), [("167772160\n", 160), ("max\n", None), ("9223372036854771712\n", None), (None, None)]
)
def test_the_memory_limit_is_that_of_the_control_group(tmp_path: Path, text: str | None, mib: int | None) -> None:
    """Both versions of control groups are read, and no limit is none."""
    file = tmp_path / "memory.max"
    if text is not None:
        file.write_text(text)
    assert memory_limit_mib([tmp_path / "absent", file]) == mib
