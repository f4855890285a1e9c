"""What a server must refuse, and how (docs/design/0004-what-the-tester-asks.md).

Every server must refuse a malformed request. A request that only the contract forbids may be accepted: the protocol
does not know the contract, and a model may well take it. So a server is judged by what it shows: if it refuses one
request with an unknown category it checks categories, and then it must refuse them all. ``--strict`` demands every
refusal. A request that hangs is a finding in any case.
"""

import re
from collections.abc import Iterable, Sequence

from ..contract import Contract
from .law import Case, error_text
from .transport import Answer

_PLACE = re.compile(r"\$[.\[]|at \$|\b(line|column|char|character|byte|row|position|features?)\b", re.IGNORECASE)


def refused(contract: Contract, case: Case, answers: Sequence[Answer]) -> str | None:
    """The answer must be a 4xx that names the place of the fault, or a feature."""
    (answer,), what = answers, case.label
    text = error_text(answer)
    if not 400 <= answer.status < 500:
        return f"{what} is answered {answer.status}: {text}; expected a 4xx that names the place"
    if answer.places and not (_PLACE.search(text) or any(name in text for name in contract.feature_names())):
        return f"{what} is refused without a place: {text}"
    return ""


def checked_kinds(answered: Iterable[tuple[Case, Answer]]) -> set[str]:
    """The kinds of violation that the server checks: it refused at least one of each."""
    return {case.kind for case, answer in answered if 400 <= answer.status < 500}


def is_excused(case: Case, answer: Answer, kinds: set[str]) -> bool:
    """Whether a server that checks ``kinds`` of violations may give this answer to a violation.

    It may accept what it does not check, but it must not fail on it with a 5xx. Only a server that checks nothing at
    all may: it leaves everything to the model, which may fail.
    """
    return case.kind not in kinds and (answer.status < 400 or not kinds)
