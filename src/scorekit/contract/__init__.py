"""A model's contract: which features and targets it has, and what their values may be (``contract.json``).

It imports ``errors`` and ``message`` only; this face leaves out ``enforce``, which needs numpy, ``infer`` and
``openapi``. Begin with ``columns``, then ``enforce``, which checks the rows of a request.
"""

from .columns import Column, Contract
from .files import USUAL, configured_contract, read_contract, usual_contract
from .parsing import ContractError, parse_contract

__all__ = [
    "USUAL",
    "Column",
    "Contract",
    "ContractError",
    "configured_contract",
    "parse_contract",
    "read_contract",
    "usual_contract",
]
