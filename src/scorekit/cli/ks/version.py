"""``ks version``."""

import argparse
from importlib.metadata import PackageNotFoundError, version

from ... import __version__
from .opening import Commands, word


def add(commands: Commands, everywhere: argparse.ArgumentParser) -> None:
    word(commands, everywhere, "version", "print the versions", _version)


def _version(arguments: argparse.Namespace) -> None:
    print(f"ksonnet version: 0.13.1, by scorekit {__version__}")
    print(f"jsonnet version: {_installed('gojsonnet')}")
    print("client-go version: none")


def _installed(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return "none; pip install 'scorekit[ks]'"
