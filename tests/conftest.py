"""What holds for every test: children start with default signals."""

import signal


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
