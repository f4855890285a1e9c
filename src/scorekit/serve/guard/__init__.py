"""Who may send requests, and how connections are encrypted: API keys and TLS, with files that may change while serving.

May import the protocols, to refuse in their words. Both features are off by default and then are not in the call path.
Begin with :mod:`~scorekit.serve.guard.api_keys`.
"""

from .api_keys import ApiKeys, load_keys, parse_keys, require_key, require_key_for_calls
from .tls import load_certificate, server_context

__all__ = [
    "ApiKeys",
    "load_certificate",
    "load_keys",
    "parse_keys",
    "require_key",
    "require_key_for_calls",
    "server_context",
]
