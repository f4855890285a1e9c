"""What the server reports of requests that have ended: the access log, OpenTelemetry spans, references of errors.

May import :mod:`~scorekit.serve.trace` and nothing else of ``serve``; the protocols report to it. Begin with
:mod:`~scorekit.serve.observe.finished`, the one record that everything here is made of; spans are imported from their
module, which loads OpenTelemetry only if they are on.
"""

from .finished import FinishedRequest, RequestObserver
from .references import internal_error_text, new_reference, printable

__all__ = ["FinishedRequest", "RequestObserver", "internal_error_text", "new_reference", "printable"]
