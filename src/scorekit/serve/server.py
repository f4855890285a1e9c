"""A server from its start to its end: reserve the ports, build the component once, run workers below a supervisor."""

import functools
import json
import logging
import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..contract import configured_contract, usual_contract
from ..contract.enforce import ContractCheck
from ..contract.openapi import document
from ..errors import BadMetadata
from ..message import Verb
from ..model import Component, Metadata, build, build_metadata, forks
from ..net import reserve_shared
from ..settings import UNSET_IMAGE, Settings
from .guard import load_keys, server_context
from .workers.custom_service import start_custom_service, stop_custom_service
from .workers.deadlines import Deadlines
from .workers.launch import Work, enter
from .workers.served_model import ServedModel
from .workers.slots import Slot
from .workers.sockets import close_sockets_at
from .workers.supervisor import Supervisor
from .workers.worker import Worker

log = logging.getLogger(__name__)

Ready = Callable[[str, list[Mapping[str, Any]]], None]
"""Called with the server's address and with the state that each worker has reported."""


def run(
    settings: Settings, directory: Path | None, workers: int, *, ready: Ready, constructed: Callable[[], None]
) -> None:
    """Build the component, serve it by ``workers`` processes until SIGTERM or SIGINT, drain, and return.

    ``constructed`` is called once the component is constructed, ``ready`` once all workers answer.
    Raises ``SetupError`` if a file or port cannot be used, or the component cannot be built or loaded.
    """
    # The order matters. Ports, certificate and keys are checked first, because a model may take minutes to load. The
    # ports are bound but nothing listens on them before the model answers, so a probe cannot mistake a server that
    # loads for one that is ready. The ports are bound before the number of workers is final: that depends on the class.
    server_context(settings.listen.tls_cert, settings.listen.tls_key)
    load_keys(settings.listen.api_key_file, settings.listen.api_keys)
    by_port = [reserve_shared(settings.listen.host, port, workers) for port in _ports(settings)]
    forks.guard(functools.partial(close_sockets_at, [sockets[0].getsockname()[1] for sockets in by_port]))
    served = _build(settings, directory)
    constructed()
    if workers > 1 and settings.workers.count is None and _learns(served.component):
        log.warning("workers.one reason=the component has send_feedback(), and workers do not share what they learn")
        for sockets in by_port:
            for spare in sockets[1:]:
                spare.close()
        workers = 1
    slots = [Slot(number, [sockets[number] for sockets in by_port]) for number in range(workers)]
    address = _address(by_port[0][0], "https" if settings.listen.tls_cert else "http")
    deadlines = Deadlines(settings.workers.probe_timeout_s, settings.workers.predict_timeout_s)
    custom_service = start_custom_service(served.component)
    try:
        Supervisor(slots, _work(served), functools.partial(ready, address), deadlines).run()
    finally:
        if custom_service:
            stop_custom_service(custom_service)


def run_worker(settings: Settings, directory: Path | None, descriptors: str) -> int:
    """Be a worker in a fresh interpreter, and return the exit status.

    ``descriptors`` is what the supervisor has put into ``SCOREKIT_WORKER``: the numbers of the inherited sockets.
    """
    inherited = json.loads(descriptors)
    supervisor = socket.socket(fileno=inherited["channel"])
    sockets = [socket.socket(fileno=number) for number in inherited["sockets"]]
    forks.guard(functools.partial(close_sockets_at, [each.getsockname()[1] for each in sockets]))
    return enter(lambda *both: _work(_build(settings, directory))(*both), sockets, supervisor)


def _ports(settings: Settings) -> list[int]:
    """Return the ports for requests, then that of the metrics page."""
    ports = [settings.listen.http_port]
    if settings.listen.grpc_workers and settings.listen.grpc_port != settings.listen.http_port:
        ports.append(settings.listen.grpc_port)
    return [*ports, settings.listen.metrics_port]


def _address(bound: socket.socket, scheme: str) -> str:
    host, port = bound.getsockname()[:2]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _work(served: ServedModel) -> Work:
    def work(sockets: Sequence[socket.socket], supervisor: socket.socket) -> None:
        Worker(served, sockets[:-1], sockets[-1], supervisor).run()

    return work


def _build(settings: Settings, directory: Path | None) -> ServedModel:
    enforced = configured_contract(settings.model.contract, directory)
    component = build(settings.model.name, directory, settings.model.parameters, settings.model.expose_errors)
    metadata = _metadata(settings, component)
    version = next(filter(None, (metadata or {}).get("versions", [])), "0.1")  # the stock wrapper's own
    contract = enforced or usual_contract(directory)
    return ServedModel(
        settings=settings,
        component=component,
        metadata=metadata,
        document=document(settings.model.name, contract, version),
        contract=contract,
        check=None if enforced is None else ContractCheck(enforced),
    )


def _learns(component: Component) -> bool:
    hook = component.hooks[Verb.SEND_FEEDBACK]
    return bool(hook.method or hook.raw)


def _metadata(settings: Settings, component: Component) -> Metadata | None:
    """Return the model's metadata. If they are invalid, log the reason and return ``None``: the model is served."""
    image = None if settings.observability.unit_image == UNSET_IMAGE else settings.observability.unit_image
    try:
        return build_metadata(component.init_metadata(), settings.model.metadata, image)
    except BadMetadata as error:
        log.warning("metadata.invalid cause=%s", error)
        return None
