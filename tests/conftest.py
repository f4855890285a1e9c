"""What holds for every test: signals of its children, how much Hypothesis draws, what is slow, who shares a worker."""

import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

SLOW_S = 1.0
"""A test that takes more CPU time than this is marked ``slow``, and `script/test fast` leaves it out."""

# Tests run beside each other on busy machines: no example has a deadline. `--hypothesis-profile=fast` draws few.
settings.register_profile("full", settings(), deadline=None)
settings.register_profile("fast", settings(), deadline=None, max_examples=10)
settings.load_profile("full")

# One container engine and its images, and one Kubernetes control plane, serve all tests of these folders.
SHARED = ("image", "deploy")


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
    """Gives tests that share costly fixtures to one worker of ``--dist loadgroup``, the longest groups first.

    With ``--no-loadscope-reorder`` workers take groups in this order: the two that take minutes, then each file of
    ``e2e`` tests, and last the quick tests, one by one, so that all workers end at nearly the same time.
    """
    if not hasattr(config, "workerinput"):
        return
    for item in items:
        if group := group_of(item):
            item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=lambda item: rank(group_of(item)))


def group_of(item: pytest.Item) -> str | None:
    """The resource or the file that a test shares with others; None where it shares nothing."""
    path = item.path.relative_to(Path(__file__).parent)
    if path.parts[0] in SHARED:
        return path.parts[0]
    return path.as_posix() if any(item.iter_markers("e2e")) else None


def rank(group: str | None) -> int:
    if group in SHARED:
        return SHARED.index(group)
    return len(SHARED) + (group is None)
