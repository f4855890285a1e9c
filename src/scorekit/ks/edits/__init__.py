"""Changes of an app: components, modules and environments added, changed and removed; an old app upgraded.

This room may import ``ks.app``, ``ks.params``, ``ks.packages`` and what is below them; it writes through a
``WritableTree``. Begin with ``components``: every change is prepared in memory before the first file is written.
"""

from .components import create_component, create_module, find_component, module_named, remove_component
from .environments import add_environment, change_environment, remove_environment, set_current, set_targets
from .imported_components import ImportedComponent, imported_components
from .upgrade import upgrade, warnings

__all__ = [
    "ImportedComponent",
    "add_environment",
    "change_environment",
    "create_component",
    "create_module",
    "find_component",
    "imported_components",
    "module_named",
    "remove_component",
    "remove_environment",
    "set_current",
    "set_targets",
    "upgrade",
    "warnings",
]
