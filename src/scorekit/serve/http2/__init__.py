"""HTTP/2: connections, their frames, header blocks and windows, and the streams that carry requests (RFC 9113).

May import the rooms below ``serve``, :mod:`~scorekit.serve.limits`, :mod:`~scorekit.serve.observe` and
:mod:`~scorekit.serve.trace`; knows nothing of gRPC. Begin with :mod:`~scorekit.serve.http2.connection`, which draws the
states of a connection, then :mod:`~scorekit.serve.http2.incoming`, which applies the rules frame by frame.
"""

from .connection import Http2Connection
from .frames import PREFACE
from .header_fields import Fields, Headers
from .streams import Stream, StreamHandler, StreamListener

__all__ = ["PREFACE", "Fields", "Headers", "Http2Connection", "Stream", "StreamHandler", "StreamListener"]
