"""``scorekit up``: a ksonnet app, run on this machine behind a real Envoy."""

import argparse


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    pass
