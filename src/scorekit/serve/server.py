"""A server from its command to its end: what is built once, then the workers below a supervisor."""

import functools
import json
import logging
import os
import signal
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..contract import configured_contract, usual_contract
from ..contract.enforce import ContractCheck
from ..contract.openapi import document
from ..errors import BadMetadata, SetupError
from ..message import Verb
from ..model import forks
from ..model.component import Component
from ..model.loading import build
from ..model.metadata import Metadata, build_metadata
from ..net import reserve_shared
from ..settings import UNSET_IMAGE, Settings
from .guard import tls
from .guard.api_keys import keys_of
from .workers.slots import Slot
from .workers.sockets import let_go_of
from .workers.start import entered
from .workers.supervisor import Supervisor
from .workers.worker import Built, work

log = logging.getLogger(__name__)

Ready = Callable[[str, list[Mapping[str, Any]]], None]
"""Told the address that answers, and what each worker said of itself."""


def run(settings: Settings, directory: Path | None, workers: int, ready: Ready, built: Callable[[], None]) -> None:
    """Build the component, serve it by ``workers`` processes until SIGTERM or SIGINT, drain, return.

    ``ready`` is called once, when all workers answer; ``built`` when the component is constructed. Raises
    ``SetupError`` where it cannot start.
    """
    # Bound before the model loads, listening only after: a taken port is told at once, and no probe is fooled.
    ports = _ports(settings)
    tls.context(settings.listen.tls_cert, settings.listen.tls_key)
    keys_of(settings.listen.api_key_file, settings.listen.api_keys)
    # Cannot be known before the class is, and the ports must be told taken before that.
    by_port = [reserve_shared(settings.listen.host, port, workers) for port in ports]
    forks.guard(functools.partial(let_go_of, [sockets[0].getsockname()[1] for sockets in by_port]))
    whole = _build(settings, directory)
    built()
    if workers > 1 and settings.workers.count is None and _learns(whole.component):
        log.warning("workers.one reason=the component has send_feedback(), and workers do not share what they learn")
        for sockets in by_port:
            for spare in sockets[1:]:
                spare.close()
        workers = 1
    addresses = [sockets[0] for sockets in by_port]
    custom = _start_custom_service(whole.component)
    host, port = addresses[0].getsockname()[:2]
    scheme = "https" if settings.listen.tls_cert else "http"
    address = f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
    slots = [Slot(number, [sockets[number] for sockets in by_port]) for number in range(workers)]
    try:
        told = functools.partial(ready, address)
        Supervisor(
            slots, _working(whole), told, settings.workers.probe_timeout_s, settings.workers.predict_timeout_s
        ).run()
    finally:
        if custom:
            _end(custom)


def run_worker(settings: Settings, directory: Path | None, told: str) -> int:
    """Be a worker of a supervisor's, which has ``told`` where its sockets are. Returns the exit status."""
    inherited = json.loads(told)
    supervisor = socket.socket(fileno=inherited["channel"])
    sockets = [socket.socket(fileno=number) for number in inherited["sockets"]]
    forks.guard(functools.partial(let_go_of, [each.getsockname()[1] for each in sockets]))
    return entered(lambda *both: _working(_build(settings, directory))(*both), sockets, supervisor)


def _ports(settings: Settings) -> list[int]:
    """Those that answer, then that of the metrics page."""
    ports = [settings.listen.http_port]
    if settings.listen.grpc_workers and settings.listen.grpc_port != settings.listen.http_port:
        ports.append(settings.listen.grpc_port)
    return [*ports, settings.listen.metrics_port]


def _working(whole: Built) -> Callable[[list[socket.socket], socket.socket], None]:
    return lambda sockets, supervisor: work(whole, sockets[:-1], sockets[-1], supervisor)


def _build(settings: Settings, directory: Path | None) -> Built:
    contract = configured_contract(settings.model.contract, directory)
    check = None if contract is None else ContractCheck(contract)
    component = build(settings.model.name, directory, settings.model.parameters, settings.model.expose_errors)
    metadata = _metadata(settings, component)
    version = next(filter(None, (metadata or {}).get("versions", [])), "0.1")  # the stock document's own
    contract = contract or usual_contract(directory)
    told = document(settings.model.name, contract, version)
    return Built(settings, component, metadata, told, contract, check)


def _learns(component: Component) -> bool:
    hook = component.hooks[Verb.SEND_FEEDBACK]
    return bool(hook.method or hook.raw)


def _metadata(settings: Settings, component: Component) -> Metadata | None:
    """The model's metadata; ``None``, with the reason in the log, where they are none: predictions do not suffer."""
    image = None if settings.observability.unit_image == UNSET_IMAGE else settings.observability.unit_image
    try:
        return build_metadata(component.init_metadata(), settings.model.metadata, image)
    except BadMetadata as error:
        log.warning("metadata.invalid cause=%s", error)
        return None


def _start_custom_service(component: Component) -> int:
    """Run the class's own service in a process of its own, a fork as by the stock wrapper. Returns its id, or 0."""
    service = component.custom_service
    if service is None:
        return 0
    pid = os.fork()
    if pid:
        return pid
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends this
        service()
        os._exit(0)
    except BaseException:
        log.exception("custom_service.failed")
    finally:
        os._exit(1)


def _end(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)
    except (ProcessLookupError, ChildProcessError) as error:
        raise SetupError("the custom service was reaped by somebody else") from error
