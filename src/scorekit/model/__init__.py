"""The user's class: loading it, finding out once what it offers, and calling it so that its faults stay its own.

It imports errors and the words of messages, and nothing of the server; what it does to processes (``forks.py``) is what
user code makes necessary. Begin with ``component.py``, which makes every call of user code, and ``methods.py``, which
finds the methods.
"""

from .component import NOT_OFFERED, Component
from .loading import build
from .metadata import Metadata, build_metadata

__all__ = ["NOT_OFFERED", "Component", "Metadata", "build", "build_metadata"]
