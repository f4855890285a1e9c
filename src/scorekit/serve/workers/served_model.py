"""A model as workers serve it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...contract.columns import Contract
from ...contract.enforce import ContractCheck
from ...model import Component, Metadata
from ...settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedModel:
    """What all workers have in common. The supervisor builds it once, and forks share its memory."""

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
