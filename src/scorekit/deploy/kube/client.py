"""The client of one API server. It fulfils ``deploy.cluster.Cluster``."""

import json
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

import urllib3
from urllib3._collections import HTTPHeaderDict  # urllib3 1.26 has it nowhere else

from ...errors import ClusterError
from ...manifests import Object
from ..cluster import FIELD_MANAGER, ApiResource, Clock, LogFunction
from ..retry import RetryPolicy, is_transient, retry_after_s
from .answers import UNTRUSTED, no_answer, refusal, unauthorized, warning_text
from .connection import pool
from .credentials import Credentials
from .target import Target

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
_APPLY_PATCH, _JSON_PATCH = "application/apply-patch+yaml", "application/json-patch+json"
# Lists without spec and status: pruning and diff go through every kind of a cluster and need metadata only. A server
# that cannot make a PartialObjectMetadataList sends whole objects.
_METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
_PAGE = 500  # objects in one answer; kubectl's default too
_FIRST_ANSWER_WITHIN_S = 5.0
_UNAUTHORIZED, _NOT_FOUND, _CONFLICT = 401, 404, 409


class SystemClock:
    """The real clock."""

    def now(self) -> float:
        """Seconds of the monotonic clock."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Return after that time."""
        time.sleep(seconds)


class Client:
    """Requests to one API server, retried if that can help.

    ``log`` gets a warning for each failed try and each ``Warning`` that the server sends. ``retry`` limits the tries of
    one request. The kinds that the server serves are asked for once each.
    """

    def __init__(
        self, target: Target, log: LogFunction, retry: RetryPolicy | None = None, clock: Clock | None = None
    ) -> None:
        self._target = target
        self._credentials = Credentials(target.user, target.cluster)
        self._pool: urllib3.PoolManager | None = None
        self._log = log
        self._retry = retry or RetryPolicy()
        self._clock = clock or SystemClock()
        self._served: dict[str, dict[str, ApiResource]] = {}
        self._warned: set[str] = set()
        self._has_answered = False

    def __repr__(self) -> str:
        return f"<Client {self._target.name} at {self._target.cluster.server}>"

    def version(self) -> str:
        """See :class:`~..cluster.Cluster`."""
        return str((self.document("/version") or {}).get("gitVersion", ""))

    def resource(self, api_version: str, kind: str) -> ApiResource | None:
        """See :class:`~..cluster.Cluster`. A kind that is missing is looked for again the next time."""
        if kind not in self._served.get(api_version, {}):
            self._served[api_version] = self._discovered(api_version)
        return self._served[api_version].get(kind)

    def resources(self) -> list[ApiResource]:
        """See :class:`~..cluster.Cluster`. Groups that cannot be read are left out with a warning."""
        groups = (self.document("/apis") or {}).get("groups", [])
        versions = ["v1", *(group["preferredVersion"]["groupVersion"] for group in groups)]
        resources: list[ApiResource] = []
        for version in versions:
            try:
                self._served.setdefault(version, {}).update(self._discovered(version))
            except ClusterError as error:  # an aggregated API whose own server does not answer
                self._log("warning", f"skipping the API version {version}: {error}")
                continue
            resources += self._served[version].values()
        return resources

    def get(self, resource: ApiResource, namespace: str, name: str) -> Object | None:
        """See :class:`~..cluster.Cluster`."""
        return self.document(resource.path(namespace, quote(name)))

    def list_metadata(self, resource: ApiResource, namespace: str = "", selector: str = "") -> Iterator[Object]:
        """See :class:`~..cluster.Cluster`."""
        return self._pages(resource, namespace, selector, _METADATA_LIST)

    def list_objects(self, resource: ApiResource, namespace: str, selector: str = "") -> Iterator[Object]:
        """See :class:`~..cluster.Cluster`."""
        return self._pages(resource, namespace, selector, "application/json")

    def _pages(self, resource: ApiResource, namespace: str, selector: str, accept: str) -> Iterator[Object]:
        """The items of a list, whose pages are requested as they are needed; the server names their kind once."""
        query = {"limit": str(_PAGE)} | ({"labelSelector": selector} if selector else {})
        while True:
            answer = self.request("GET", resource.path(namespace), query=query, accept=accept)
            for item in answer.get("items") or ():
                yield {**item, "apiVersion": resource.api_version, "kind": resource.kind}
            following = (answer.get("metadata") or {}).get("continue")
            if not following:
                return
            query["continue"] = following

    def apply(self, value: Object, resource: ApiResource, *, dry_run: bool, force: bool) -> Object:
        """See :class:`~..cluster.Cluster`."""
        metadata = value["metadata"]
        path = resource.path(metadata.get("namespace", ""), quote(metadata["name"]))
        # Strict: a misspelt field is an error, and never dropped with a warning.
        query = {"fieldManager": FIELD_MANAGER, "force": str(force).lower(), "fieldValidation": "Strict"}
        if dry_run:
            query["dryRun"] = "All"
        return self.request("PATCH", path, query=query, body=value, content_type=_APPLY_PATCH)

    def patch(self, patch: Sequence[Mapping[str, Any]], resource: ApiResource, namespace: str, name: str) -> Object:
        """See :class:`~..cluster.Cluster`. A conflict is not retried: the caller must read the object again."""
        return self.request(
            "PATCH",
            resource.path(namespace, quote(name)),
            query={"fieldManager": FIELD_MANAGER},
            body=patch,
            content_type=_JSON_PATCH,
            retry_conflicts=False,
        )

    def delete(self, resource: ApiResource, namespace: str, name: str, options: Mapping[str, Any]) -> bool:
        """See :class:`~..cluster.Cluster`. With a precondition, a conflict is not retried: it means another object."""
        path = resource.path(namespace, quote(name))
        try:
            self.request("DELETE", path, body=options, retry_conflicts="preconditions" not in options)
        except ClusterError as error:
            if error.status == _NOT_FOUND:
                return False
            raise
        return True

    def document(self, path: str) -> Object | None:
        """See :class:`~..cluster.Cluster`."""
        try:
            return self.request("GET", path)
        except ClusterError as error:
            if error.status == _NOT_FOUND:
                return None
            raise

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = JSON,
        accept: str = JSON,
        retry_conflicts: bool = True,
    ) -> Object:
        """Send a request, repeat it while that can help and the limit allows, and return the JSON object it gets.

        Raises ``ClusterError`` for an answer of 400 or more, for no answer and for one that is not a JSON object, and
        ``SetupError`` for credentials that cannot be had.
        """
        # One try ends in one of these ways:
        #
        #   answer < 400                      → return it
        #   401, for the first time           → renew the credentials and try at once, if they can be renewed
        #   not transient, or certificate     → raise
        #   transient, or no answer at all    → wait and try again; raise when the limit would be passed
        #
        # A server that has not answered anything yet gets 5 s instead of the limit: a wrong address or a cluster that
        # is switched off is more likely then than a server that is overloaded.
        address = f"{self._target.cluster.server}{path}" + (f"?{urlencode(query)}" if query else "")
        content = None if body is None else json.dumps(body).encode()
        types = [("Accept", accept)] + ([("Content-Type", content_type)] if content is not None else [])
        began, tries, is_renewed = self._clock.now(), 0, False
        while True:
            asked_to_wait = None
            try:
                answer = self._send(method, address, content, types)
            except urllib3.exceptions.HTTPError as error:
                failure = no_answer(error, self._target.cluster.server)
            else:
                self._has_answered = True
                if answer.status < 400:
                    return self._value(answer, path)
                failure = refusal(answer.status, answer.data, f"{method} {path}")
                if answer.status == _UNAUTHORIZED and not is_renewed and self._credentials.renew():
                    is_renewed, self._pool = True, None
                    continue
                if answer.status == _UNAUTHORIZED:
                    failure = unauthorized(failure, self._target.name, self._target.cluster.server)
                if not is_transient(failure) or (answer.status == _CONFLICT and not retry_conflicts):
                    raise failure
                asked_to_wait = retry_after_s(answer.headers.get("Retry-After"))
            tries += 1
            self._wait(failure, tries, self._clock.now() - began, asked_to_wait)

    def _wait(self, failure: ClusterError, tries: int, spent_s: float, asked_to_wait_s: float | None) -> None:
        """Wait before the next try, or raise ``failure`` if there is to be none."""
        retry = self._retry if self._has_answered else replace(self._retry, limit_s=_FIRST_ANSWER_WITHIN_S)
        wait = retry.wait_s(tries, spent_s, asked_to_wait_s)
        if wait is None or (failure.status == 0 and failure.reason == UNTRUSTED):
            tried = f" (after {tries} tries in {spent_s:.0f} s)" if tries > 1 else ""
            raise ClusterError(f"{failure}{tried}", failure.status, failure.reason, failure.causes) from None
        self._log("warning", f"{failure}; retrying in {wait:.1f} s")
        self._clock.sleep(wait)

    def _discovered(self, api_version: str) -> dict[str, ApiResource]:
        root = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        resources = (self.document(root) or {}).get("resources", [])
        return {
            each["kind"]: ApiResource(
                api_version=api_version,
                kind=each["kind"],
                plural=each["name"],
                is_namespaced=each["namespaced"],
                verbs=frozenset(each["verbs"]),
            )
            for each in resources
            if "/" not in each["name"]  # deployments/scale and other subresources
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
            if self._target.cluster.is_insecure:  # the user has asked for it
                warnings.simplefilter("ignore", urllib3.exceptions.InsecureRequestWarning)
            # `request` of urllib3 1.26 would join headers of one name (Impersonate-Group) into one line.
            return self._pool.urlopen(method, address, redirect=False, body=content, headers=headers)

    def _value(self, answer: urllib3.HTTPResponse, path: str) -> Object:
        for header in answer.headers.getlist("Warning"):
            text = warning_text(header)
            if text and text not in self._warned:
                self._warned.add(text)
                self._log("warning", text)
        try:
            value = json.loads(answer.data)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise ClusterError(
                f"{self._target.cluster.server}{path} did not answer with a JSON object; is it an API server?"
            )
        return value
