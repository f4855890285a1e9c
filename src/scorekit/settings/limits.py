"""Every limit that is not a setting: nobody has needed to change these, so they have no variable and no flag.

They protect the process itself: a request that exceeds one would cost more memory or time than it can be worth.
``scorekit serve --explain`` lists them with their precedents, from :data:`scorekit.settings.explain.FIXED`.
"""

MAX_HEAD_BYTES = 64 * 1024
"""The request line and all headers of one request."""

MAX_STREAMS = 128
MAX_HELD_BYTES = 64 << 20
"""Bytes on one HTTP/2 connection, of requests and of waiting answers each: sixteen messages of 4 MB."""

MAX_RESETS_PER_S = 500
MAX_IDLE_PER_S = 5000
MAX_JSON_DEPTH = 64
MAX_JSON_CONTAINERS = 2_000_000
MAX_PROTO_FIELDS = 250_000
MAX_PARTS = 1000
