"""Changes of an app: components, modules and environments added, changed and removed; an old app upgraded.

This room may import ``ks.app``, ``ks.params``, ``ks.packages`` and what is below them; it writes through a
``WritableTree``. Begin with ``components``: every change is prepared in memory before the first file is written. This
face has only what every command needs; the rest would load the editor of jsonnet with it.
"""

from .upgrade import upgrade_warnings

__all__ = ["upgrade_warnings"]
