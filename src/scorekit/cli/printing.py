"""Requests and answers as ``seldon-core-tester -p`` prints them (seldon-core 1.17.1)."""

from typing import Any

import numpy as np
from google.protobuf import json_format

from ..proto import message_class
from ..tester import Answer, Query, Transport
from ..tester.payloads import MalformedAnswer, parse

_Message = message_class("seldon.protos.SeldonMessage")


class PrintingTransport:
    """Prints each request and its answer. If feedback is tested, the predictions beside it are not printed."""

    def __init__(self, transport: Transport, verb: str) -> None:
        self._transport = transport
        self._verb = verb

    def where(self, verb: str, /) -> str:
        """The address that ``verb`` is sent to."""
        return self._transport.where(verb)

    def send(self, query: Query, /) -> Answer:
        """The answer of the transport within, printed. Raises what that raises."""
        if self._verb == "send-feedback" != query.verb:
            return self._transport.send(query)
        print(f"{'-' * 40}\nSENDING NEW REQUEST:\n\n{request(query.message)}")
        answer = self._transport.send(query)
        print(f"RECEIVED RESPONSE:\n{response(answer)}\n")
        return answer


def request(message: Any) -> str:
    """The text of a request's array, or of the array of the request in feedback; a raw body as it is."""
    if isinstance(message, str):
        return message
    data = message.get("request", message)["data"]
    if "tensor" in data:
        return str(np.array(data["tensor"]["values"]).reshape(data["tensor"]["shape"]))
    rows = data["ndarray"]
    text = any(isinstance(value, str) for row in rows for value in row)
    return str(np.array(rows, dtype=object if text else None))


def response(answer: Answer) -> str:
    """An answer as the text of its protocol buffer; as its own text if it is not a SeldonMessage."""
    try:
        return str(json_format.ParseDict(parse(answer), _Message()))
    except (MalformedAnswer, json_format.Error, AttributeError, TypeError, ValueError, RecursionError):
        return answer.body.decode("utf-8", "replace")
