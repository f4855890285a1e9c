"""What the verbs of the protocol mean, whatever transport brought the request: decoded, batched, called and answered.

It imports the codec, the model, the metrics and the words of lower floors, and no transport, thread or event loop:
those are handed to it. Begin with ``service.py``, then follow a request through ``calls.py``, ``batching.py`` and
``executor.py`` to ``answers.py``; ``batch_trial.py`` decides at start-up whether requests are batched at all.
"""

from .batch_trial import Verdict, try_batching
from .calls import Caller, FeedbackRequest, Request
from .executor import EventLoop, Executor, Task, Thread
from .service import Service

__all__ = [
    "Caller",
    "EventLoop",
    "Executor",
    "FeedbackRequest",
    "Request",
    "Service",
    "Task",
    "Thread",
    "Verdict",
    "try_batching",
]
