"""From failed HTTP requests to ``ClusterError``: urllib3's errors and the server's ``Status`` objects are read here."""

import json

import urllib3

from ...errors import Cause, ClusterError

UNTRUSTED = "tls"
"""The ``reason`` of an error about the server's certificate, which another try cannot change."""


def refusal(status: int, body: bytes, request: str) -> ClusterError:
    """The error for an answer with a status of 400 or more.

    The API server's own message, reason and causes are taken from the ``Status`` object in ``body``; a proxy's answer
    has none, and then ``request`` says what failed.
    """
    try:
        answer = json.loads(body)
        details = answer.get("details") or {}
        causes = tuple(
            Cause(str(each.get("reason", "")), str(each.get("field", "")), str(each.get("message", "")))
            for each in details.get("causes") or ()
        )
        message, reason = str(answer.get("message") or ""), str(answer.get("reason") or "")
    except (ValueError, AttributeError, TypeError):
        message, reason, causes = "", "", ()
    return ClusterError(message or f"{request}: the server answered with status {status}", status, reason, causes)


def no_answer(error: urllib3.exceptions.HTTPError, server: str) -> ClusterError:
    """The error for a request without an answer, with status 0."""
    reason = getattr(error, "reason", None) or error
    if isinstance(error, urllib3.exceptions.SSLError) or isinstance(reason, urllib3.exceptions.SSLError):
        return ClusterError(f"the certificate of {server} is not trusted: {reason}", reason=UNTRUSTED)
    return ClusterError(f"no answer from {server}: {_innermost(error)}")


def unauthorized(error: ClusterError, context: str, server: str) -> ClusterError:
    """The error for a 401, with what to do."""
    whose = f" of context {context}" if context else ""
    message = f"{error}: {server} does not accept the credentials{whose}; log in again as you do for kubectl"
    return ClusterError(message, error.status, error.reason)


def warning_text(header: str) -> str:
    """The text of a ``Warning`` header such as ``299 - "apps/v1beta1 Deployment is deprecated"``."""
    return header.partition(" ")[2].partition(" ")[2].strip('"').replace('\\"', '"')


def _innermost(error: Exception) -> str:
    """The message of the innermost cause. urllib3 puts its own objects' representation in front of it."""
    text = str(error.__cause__ or error.__context__ or error)
    return text.partition(": ")[2] if text.startswith("<") else text
