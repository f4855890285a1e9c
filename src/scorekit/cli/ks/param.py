import argparse

from .opening import Commands


def add(commands: Commands, everywhere: argparse.ArgumentParser) -> None:
    pass
