"""What is counted, and how Prometheus reads it: by one process, and as the sum over all workers.

It imports the words of messages and nothing else of ours. Begin with ``registry.py`` for what is counted under which
name, then ``exposition.py`` for the text, and ``merge.py`` for how no count is lost with the worker that made it.
"""

from .exposition import CONTENT_TYPE, Families, Histogram, from_plain, plain
from .merge import MergedMetrics
from .registry import Metrics, component_labels

__all__ = [
    "CONTENT_TYPE",
    "Families",
    "Histogram",
    "MergedMetrics",
    "Metrics",
    "component_labels",
    "from_plain",
    "plain",
]
