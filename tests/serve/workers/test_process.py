"""How the exit of a worker is described. tests/e2e runs real workers."""

import pytest

from scorekit.serve.workers.process import exit_words


@pytest.mark.parametrize(
    ("code", "words"), [(3, "with status 3"), (-9, "by SIGKILL (perhaps out of memory)"), (-40, "by signal 40")]
)
def test_every_exit_has_words(code: int, words: str) -> None:
    """Statuses and signals are described, even signals without a name, such as those that profilers use."""
    assert exit_words(code) == words
