"""Bytes to messages and back: SeldonMessage as JSON, as a protocol buffer and as a multipart form, without any I/O.

It imports the words of the lower floors, numpy, orjson and protobuf; other rooms import its modules by name
(``from ..codec import json, proto``), so that one who needs JSON alone does not load protobuf. Begin with
``json/decoding.py`` for bytes to arrays, ``tensor.py`` for the rules of dtypes and shapes, and ``wire.py`` for protocol
buffers.
"""

__all__ = ["json", "large", "multipart", "proto", "strictness", "tensor", "values", "wire"]
