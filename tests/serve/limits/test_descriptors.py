"""A worker without file descriptors says so."""

import logging
import os
import resource

import pytest

from scorekit.serve.limits.descriptors import DescriptorCheck


def test_exhausted_descriptors_are_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """The log says once that there are no descriptors left, and once that there are some again."""
    caplog.set_level(logging.INFO)
    check = DescriptorCheck()
    check.run()
    assert not caplog.records
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = os.dup(0)
    os.close(highest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest, hard))
    try:
        check.run()
        check.run()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    check.run()
    check.run()
    events = [record.getMessage().split()[0] for record in caplog.records]
    assert events == ["descriptors.exhausted", "descriptors.available"]
