"""``ks version``."""

import argparse

from ... import __version__
from .commands import Commands, add_command


def add(commands: Commands) -> None:
    """Add ``version``."""
    add_command(
        commands, "version", "print the versions of ks and of its jsonnet engine", _version, examples=["ks version"]
    )


def _version(arguments: argparse.Namespace) -> None:
    # The three headings are ksonnet's.
    print(f"ksonnet version: 0.13.1, by scorekit {__version__}")
    print(f"jsonnet version: {_installed('gojsonnet')}")
    print("client-go version: none")


def _installed(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return "none; pip install '.[ks]' in a checkout of scorekit"
