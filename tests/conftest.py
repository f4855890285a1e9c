"""What holds for every test: signals of its children, how much Hypothesis draws, what is slow, who shares a worker."""

import resource
import signal
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import LoadScopeScheduling

SLOW_S = 1.0
"""A test that takes more CPU time than this is marked ``slow``, and `script/test fast` leaves it out."""

# Tests run beside each other on busy machines: no example has a deadline. `--hypothesis-profile=fast` draws few.
settings.register_profile("full", settings(), deadline=None)
settings.register_profile("fast", settings(), deadline=None, max_examples=10)
settings.load_profile("full")

# The images that tests of two folders run are built once.
pytest_plugins = ["tests.image.fixtures"]

# One container engine, its images and the node that runs them serve the tests of `image` and `cluster`; one Kubernetes
# control plane those of `deploy`. Folders of one group run on one worker. The longest group comes first.
SHARED = {"image": "image", "cluster": "image", "deploy": "deploy"}


def pytest_configure() -> None:
    restore_signals_of_children()


def restore_signals_of_children() -> None:
    """Let children start with the default action of signals that this process was started to ignore.

    A shell without job control starts ``command &`` with SIGINT and SIGQUIT ignored, ``nohup`` adds SIGHUP, and
    children inherit it. A handler is not inherited, so one that does nothing ignores the signal only here.
    """
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Notes the CPU time of a test and its children, where it should be one of the quick ones."""
    before = cpu_time_s()
    try:
        return (yield)
    finally:
        if not any(item.iter_markers("slow")) and not any(item.iter_markers("e2e")):
            item.user_properties.append(("cpu_time_s", cpu_time_s() - before))


def cpu_time_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Names the tests that should be marked ``slow``, in a run without those that are."""
    if "not slow" not in terminalreporter.config.getoption("markexpr"):
        return
    for report in terminalreporter.getreports("passed"):
        used = dict(report.user_properties).get("cpu_time_s", 0.0)
        if isinstance(used, float) and used > SLOW_S:
            terminalreporter.write_line(f"{report.nodeid} took {used:.1f} s of CPU time: mark it slow")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Lets workers begin with what takes longest: the shared folders, then files of ``e2e`` tests, then the others."""
    if hasattr(config, "workerinput"):
        items.sort(key=rank)


def rank(item: pytest.Item) -> int:
    folders = [folder for folder in SHARED if folder in PurePosixPath(item.nodeid.partition("::")[0]).parts]
    if folders:
        return list(SHARED).index(folders[0])
    return len(SHARED) + (item.get_closest_marker("e2e") is None)


def group_of(nodeid: str) -> str:
    """The folder or the file of a test whose tests share costly fixtures and run on one worker."""
    path = PurePosixPath(nodeid.partition("::")[0])
    return next((group for folder, group in SHARED.items() if folder in path.parts), str(path))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: "Producer") -> "LoadScopeScheduling | None":
    """Has ``--dist loadgroup`` go by the groups above: xdist's own reads a mark in a way that pytest 9.2 has ended."""
    from xdist.scheduler import LoadScopeScheduling

    class Groups(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

    return Groups(config, log) if config.getoption("dist") == "loadgroup" else None
