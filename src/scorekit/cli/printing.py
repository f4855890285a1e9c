"""Requests and answers as the stock tester prints them (seldon-core 1.17.1, ``-p``)."""

from typing import Any

import numpy as np
from google.protobuf import json_format

from ..proto import message_class
from ..tester import Answer, Query, Transport
from ..tester.payloads import MalformedAnswer, parse

_Message = message_class("seldon.protos.SeldonMessage")


class Printing:
    """A transport that prints what passes; of feedback under test only that, not the predictions beside it."""

    def __init__(self, transport: Transport, verb: str) -> None:
        self._transport = transport
        self._verb = verb

    def where(self, verb: str, /) -> str:
        return self._transport.where(verb)

    def send(self, query: Query, /) -> Answer:
        if self._verb == "send-feedback" != query.verb:
            return self._transport.send(query)
        print(f"{'-' * 40}\nSENDING NEW REQUEST:\n\n{request(query.message)}")
        answer = self._transport.send(query)
        print(f"RECEIVED RESPONSE:\n{response(answer)}\n")
        return answer


def request(message: Any) -> str:
    """The array of a request; of a feedback that of its request. What has none stands as it is."""
    if isinstance(message, str):
        return message
    data = message.get("request", message)["data"]
    if "tensor" in data:
        return str(np.array(data["tensor"]["values"]).reshape(data["tensor"]["shape"]))
    rows = data["ndarray"]
    text = any(isinstance(value, str) for row in rows for value in row)
    return str(np.array(rows, dtype=object if text else None))


def response(answer: Answer) -> str:
    """The answer as the text of its protocol buffer; the bytes where it is none."""
    try:
        return str(json_format.ParseDict(parse(answer), _Message()))
    except (MalformedAnswer, json_format.Error, AttributeError, TypeError, ValueError, RecursionError):
        return answer.body.decode("utf-8", "replace")
