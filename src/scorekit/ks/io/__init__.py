"""Where ``ks`` touches the outside: an app on disk, the jsonnet engine, GitHub, a download, files of our wheel.

Only here may ``ks`` open files and sockets or load the engine. Begin with ``disk``; ``gojsonnet`` is imported by
whoever evaluates, and not by this face, because it needs the extra ``ks`` and a missing one is reported by the command
line.
"""

from .disk import Directory, find_root

__all__ = ["Directory", "find_root"]
