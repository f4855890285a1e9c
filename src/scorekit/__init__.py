"""scorekit: a Python model behind a production endpoint, served, tested and deployed as a Seldon Core v1 component."""

__version__ = "0.1.0"
