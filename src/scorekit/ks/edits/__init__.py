"""Changes of an app: components, modules and environments added, changed and removed; an old app upgraded.

This room may import ``ks.app``, ``ks.params``, ``ks.packages`` and what is below them; it writes through a
``WritableTree``. Begin with ``components``: every change is prepared in memory before the first file is written. This
face re-exports nothing: every command asks ``upgrade`` for warnings, and would load the editor of jsonnet with it.
"""

__all__: list[str] = []
