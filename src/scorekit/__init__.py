"""scorekit: a Python model behind a production endpoint, served, tested and deployed as a Seldon Core v1 component.

Models may import :mod:`scorekit.user_model`; everything else is internal. To find your way, begin with
``docs/architecture.md``, or with :mod:`scorekit.cli`, which has every command.
"""

__version__ = "0.1.0"
