"""Requests to one API server, tried again where that can help. Fulfils ``ks.cluster.Cluster``."""

import json
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

import urllib3
from urllib3._collections import HTTPHeaderDict  # in 1.26 only here

from ...errors import Cause, ClusterError
from ...manifests.documents import Object
from ..backoff import Backoff, is_passing, retry_after_s
from ..cluster import MANAGER, Kind, Patience, Tell
from .connection import pool
from .credentials import Credentials
from .target import Target

_JSON, _APPLY, _PATCH = "application/json", "application/apply-patch+yaml", "application/json-patch+json"
_METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
_PAGE = 500
_FIRST_ANSWER_WITHIN_S = 5.0  # an address where nobody has answered yet is more likely wrong than busy
_UNAUTHORIZED, _NOT_FOUND, _CONFLICT = 401, 404, 409


class Clock:
    """The real one."""

    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class Client:
    """One API server; ``tell`` hears of tries that failed and of the server's own warnings."""

    def __init__(
        self, target: Target, tell: Tell, backoff: Backoff | None = None, clock: Patience | None = None
    ) -> None:
        self._target = target
        self._credentials = Credentials(target.user, target.cluster)
        self._pool: urllib3.PoolManager | None = None
        self._tell = tell
        self._backoff = backoff or Backoff()
        self._clock = clock or Clock()
        self._kinds: dict[str, dict[str, Kind]] = {}
        self._warned: set[str] = set()
        self._has_answered = False

    def __repr__(self) -> str:
        return f"<Client {self._target.name} at {self._target.cluster.server}>"

    def version(self) -> str:
        return str((self.document("/version") or {}).get("gitVersion", ""))

    def kind(self, api_version: str, name: str) -> Kind | None:
        if name not in self._kinds.get(api_version, {}):  # what is missing may be there the next time
            self._kinds[api_version] = self._served(api_version)
        return self._kinds[api_version].get(name)

    def kinds(self) -> list[Kind]:
        groups = (self.document("/apis") or {}).get("groups", [])
        versions = ["v1", *(group["preferredVersion"]["groupVersion"] for group in groups)]
        found: list[Kind] = []
        for version in versions:
            try:
                self._kinds.setdefault(version, {}).update(self._served(version))
            except ClusterError as error:  # an aggregated API whose server is away
                self._tell("warning", f"{version} is passed over: {error}")
                continue
            found += self._kinds[version].values()
        return found

    def get(self, kind: Kind, namespace: str, name: str) -> Object | None:
        return self.document(kind.path(namespace, quote(name)))

    def listed(self, kind: Kind, namespace: str = "", selector: str = "") -> Iterator[Object]:
        query = {"limit": str(_PAGE)} | ({"labelSelector": selector} if selector else {})
        while True:
            answer = self.ask("GET", kind.path(namespace), query, accept=_METADATA)
            for item in answer.get("items") or ():
                yield {**item, "apiVersion": kind.api_version, "kind": kind.name}
            following = (answer.get("metadata") or {}).get("continue")
            if not following:
                return
            query["continue"] = following

    def apply(self, value: Object, kind: Kind, namespace: str, *, dry_run: bool, force: bool) -> Object:
        path = kind.path(namespace, quote(value["metadata"]["name"]))
        query = {"fieldManager": MANAGER, "force": str(force).lower(), "fieldValidation": "Strict"}
        return self.ask("PATCH", path, query | _dry(dry_run), value, _APPLY)

    def patch(self, patch: Sequence[Mapping[str, Any]], kind: Kind, namespace: str, name: str) -> Object:
        query = {"fieldManager": MANAGER}
        return self.ask("PATCH", kind.path(namespace, quote(name)), query, patch, _PATCH, again_on_conflict=False)

    def delete(self, kind: Kind, namespace: str, name: str, options: Mapping[str, Any]) -> bool:
        # With a precondition a conflict is an answer: that object is no longer the one that was meant.
        again = "preconditions" not in options
        try:
            self.ask("DELETE", kind.path(namespace, quote(name)), {}, options, again_on_conflict=again)
        except ClusterError as error:
            if error.status == _NOT_FOUND:
                return False
            raise
        return True

    def document(self, path: str) -> Object | None:
        try:
            return self.ask("GET", path, {})
        except ClusterError as error:
            if error.status == _NOT_FOUND:
                return None
            raise

    def ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Any = None,
        content_type: str = _JSON,
        accept: str = _JSON,
        again_on_conflict: bool = True,
    ) -> Object:
        """One request, sent again while that can help and the limit lasts. Raises ``ClusterError``."""
        address = f"{self._target.cluster.server}{path}" + (f"?{urlencode(query)}" if query else "")
        content = None if body is None else json.dumps(body).encode()
        types = [("Accept", accept)] + ([("Content-Type", content_type)] if content is not None else [])
        began, tries, is_renewed = self._clock.now(), 0, False
        while True:
            asked_to_wait = None
            try:
                answer = self._send(method, address, content, types)
            except urllib3.exceptions.HTTPError as error:
                fault = self._fault(error)
            else:
                self._has_answered = True
                if answer.status < 400:
                    return self._value(answer, path)
                fault = _refusal(answer.status, answer.data, f"{method} {path}")
                if answer.status == _UNAUTHORIZED and not is_renewed and self._credentials.renew():
                    is_renewed, self._pool = True, None
                    continue
                if answer.status == _UNAUTHORIZED:
                    fault = self._unauthorized(fault)
                if not is_passing(fault) or (answer.status == _CONFLICT and not again_on_conflict):
                    raise fault
                asked_to_wait = retry_after_s(answer.headers.get("Retry-After"))
            tries += 1
            spent = self._clock.now() - began
            backoff = self._backoff if self._has_answered else replace(self._backoff, limit_s=_FIRST_ANSWER_WITHIN_S)
            wait = backoff.wait_s(tries, spent, asked_to_wait)
            if wait is None or (fault.status == 0 and fault.reason == "tls"):
                tried = f" (tried {tries} times in {spent:.0f} s)" if tries > 1 else ""
                raise ClusterError(f"{fault}{tried}", fault.status, fault.reason, fault.causes) from None
            self._tell("warning", f"{fault}; trying again in {wait:.1f} s")
            self._clock.sleep(wait)

    def _served(self, api_version: str) -> dict[str, Kind]:
        root = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        resources = (self.document(root) or {}).get("resources", [])
        return {
            each["kind"]: Kind(api_version, each["kind"], each["name"], each["namespaced"], frozenset(each["verbs"]))
            for each in resources
            if "/" not in each["name"]  # subresources
        }

    def _send(
        self, method: str, address: str, content: bytes | None, types: list[tuple[str, str]]
    ) -> urllib3.HTTPResponse:
        if self._pool is None:
            self._pool = pool(self._target.cluster, *self._credentials.certificate())
        headers = HTTPHeaderDict()
        for name, value in [("User-Agent", "ks (scorekit)"), *types, *self._credentials.headers()]:
            headers.add(name, value)
        with warnings.catch_warnings():
            if self._target.cluster.is_insecure:  # as was asked for
                warnings.simplefilter("ignore", urllib3.exceptions.InsecureRequestWarning)
            # Not `request`, which in 1.26 writes headers of one name into one line.
            return self._pool.urlopen(method, address, redirect=False, body=content, headers=headers)

    def _value(self, answer: urllib3.HTTPResponse, path: str) -> Object:
        for warning in answer.headers.getlist("Warning"):
            # 299 - "apps/v1beta1 Deployment is deprecated"
            text = warning.partition(" ")[2].partition(" ")[2].strip('"').replace('\\"', '"')
            if text and text not in self._warned:
                self._warned.add(text)
                self._tell("warning", text)
        try:
            found = json.loads(answer.data)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise ClusterError(f"{self._target.cluster.server}{path} did not answer with a JSON object: no API server?")
        return found

    def _unauthorized(self, fault: ClusterError) -> ClusterError:
        name, server = self._target.name, self._target.cluster.server
        whose = f" of context {name}" if name else ""
        message = f"{fault}: {server} does not accept the credentials{whose}; log in again, as you do for kubectl"
        return ClusterError(message, fault.status, fault.reason)

    def _fault(self, error: urllib3.exceptions.HTTPError) -> ClusterError:
        server = self._target.cluster.server
        reason = getattr(error, "reason", None) or error
        if isinstance(error, urllib3.exceptions.SSLError) or isinstance(reason, urllib3.exceptions.SSLError):
            return ClusterError(f"{server} is not trusted: {reason}", reason="tls")
        return ClusterError(f"no answer from {server}: {_words(error)}")


def _words(error: Exception) -> str:
    """The innermost cause, which says more than what stands around it."""
    text = str(error.__cause__ or error.__context__ or error)
    return text.partition(": ")[2] if text.startswith("<") else text


def _dry(dry_run: bool) -> dict[str, str]:
    return {"dryRun": "All"} if dry_run else {}


def _refusal(status: int, body: bytes, request: str) -> ClusterError:
    try:
        found = json.loads(body)
        details = found.get("details") or {}
        causes = tuple(
            Cause(str(each.get("reason", "")), str(each.get("field", "")), str(each.get("message", "")))
            for each in details.get("causes") or ()
        )
        message, reason = str(found.get("message") or ""), str(found.get("reason") or "")
    except (ValueError, AttributeError, TypeError):
        message, reason, causes = "", "", ()
    return ClusterError(message or f"{request}: the server answered {status}", status, reason, causes)
