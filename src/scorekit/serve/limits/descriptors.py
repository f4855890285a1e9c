"""Tells when a worker has no file descriptors left.

The kernel's accept() fails then, and libuv closes the connections that it cannot take without a word to anybody.
"""

import errno
import logging
import os
import resource

log = logging.getLogger(__name__)


class DescriptorCheck:
    """Logs once that no descriptor can be opened any more, and once that some can."""

    def __init__(self) -> None:
        self._exhausted = False

    def __repr__(self) -> str:
        return f"<DescriptorCheck {'exhausted' if self._exhausted else 'available'}>"

    def run(self) -> None:
        """Try to open a descriptor, and close it."""
        try:
            os.close(os.open(os.devnull, os.O_RDONLY))
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE) and not self._exhausted:
                self._exhausted = True
                limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
                log.warning("descriptors.exhausted limit=%d: %s; new connections are closed", limit, error.strerror)
        else:
            if self._exhausted:
                self._exhausted = False
                log.info("descriptors.available")
