"""One worker process, as its supervisor tells of it. What becomes of it is proved in tests/e2e."""

import pytest

from scorekit.serve.workers.process import exit_words


@pytest.mark.parametrize(
    ("code", "words"), [(3, "with status 3"), (-9, "by SIGKILL, as when memory runs out"), (-40, "by signal 40")]
)
def test_every_end_has_words(code: int, words: str) -> None:
    """Also that by a signal without a name, such as those that profilers use."""
    assert exit_words(code) == words
