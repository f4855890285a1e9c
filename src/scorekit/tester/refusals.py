"""What a server must refuse, and how.

What is no request is refused by every server. A request that only the contract forbids need not be: the protocol does
not know the contract. So that is asked of a server that is seen to check it, kind by kind, or of any when asked to be
strict. What nothing excuses is a request that hangs.
"""

import re
from collections.abc import Iterable, Sequence

from ..contract.columns import Contract
from .law import Case, told
from .wire import Answer

_PLACE = re.compile(r"\$[.\[]|at \$|\b(line|column|char|character|byte|row|position|features?)\b", re.IGNORECASE)


def refused(contract: Contract, case: Case, answers: Sequence[Answer]) -> str | None:
    """A 4xx that names the place, or a feature."""
    (answer,), what = answers, case.label
    text = told(answer)
    if not 400 <= answer.status < 500:
        return f"{what} is answered {answer.status}: {text}; expected a 4xx that names the place"
    if answer.places and not (_PLACE.search(text) or any(name in text for name in contract.feature_names())):
        return f"{what} is refused without a place: {text}"
    return ""


def checked(answered: Iterable[tuple[Case, Answer]]) -> set[str]:
    """The kinds of violation that a server is seen to check: of which it refused one."""
    return {case.kind for case, answer in answered if 400 <= answer.status < 500}


def excused(case: Case, answer: Answer, kinds: set[str]) -> bool:
    """Whether a server that checks ``kinds`` may answer so: it may take what it does not check, but not fail on it.

    A server that checks nothing leaves it all to the model, which may fail.
    """
    return case.kind not in kinds and (answer.status < 400 or not kinds)
