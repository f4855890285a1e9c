"""A model as a worker serves it, and how it is built from the user's folder."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...contract import configured_contract, usual_contract
from ...contract.columns import Contract
from ...contract.enforce import ContractCheck
from ...contract.openapi import document
from ...errors import BadMetadata
from ...message import Verb
from ...model import Component, Metadata, build, build_metadata
from ...settings import UNSET_IMAGE, Settings

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedModel:
    """What a worker needs to serve. It is built in the process that serves it."""

    settings: Settings
    component: Component
    """The user's object, constructed but not loaded."""
    metadata: Metadata | None
    """The model's metadata; ``None`` if they are invalid."""
    document: Mapping[str, Any]
    """The OpenAPI document of the model."""
    contract: Contract | None
    """The contract that describes the model's rows, if there is one."""
    check: ContractCheck | None
    """The check of requests against the contract, if it is to be enforced."""
    build_s: float
    """The seconds that import and constructor took."""

    @property
    def facts(self) -> Mapping[str, bool]:
        """What the supervisor has to know about the component, which it does not have itself."""
        hook = self.component.hooks[Verb.SEND_FEEDBACK]
        return {
            "learns": bool(hook.method or hook.raw),
            "custom_service": self.component.custom_service is not None,
        }


def build_component(settings: Settings, directory: Path | None) -> Component:
    """Import and construct the user's class. Raises ``SetupError`` as :func:`~scorekit.model.build` does."""
    return build(settings.model.name, directory, settings.model.parameters, settings.model.expose_errors)


def build_served_model(settings: Settings, directory: Path | None) -> ServedModel:
    """Read the contract, build the component, and ask it for its metadata.

    Raises ``SetupError`` if the contract cannot be used, or the class cannot be imported or constructed.
    """
    began = time.perf_counter()
    enforced = configured_contract(settings.model.contract, directory)
    component = build_component(settings, directory)
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
        build_s=time.perf_counter() - began,
    )


def _metadata(settings: Settings, component: Component) -> Metadata | None:
    """Return the model's metadata. If they are invalid, log the reason and return ``None``: the model is served."""
    image = None if settings.observability.unit_image == UNSET_IMAGE else settings.observability.unit_image
    try:
        return build_metadata(component.init_metadata(), settings.model.metadata, image)
    except BadMetadata as error:
        log.warning("metadata.invalid cause=%s", error)
        return None
