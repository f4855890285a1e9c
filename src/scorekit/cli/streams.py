"""Standard streams that a command can rely on, however it was started."""

import contextlib
import os
import sys


def open_missing_streams() -> None:
    """Open ``/dev/null`` in place of each standard stream that is closed (``>&-``, ``2>&-``, some supervisors).

    Otherwise the next file or socket that is opened takes its number, and what is printed goes to a client.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            with contextlib.suppress(OSError):
                os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest free number: this one
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115  as long as the process
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115  as above
