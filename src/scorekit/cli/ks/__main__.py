"""``python -m scorekit.cli.ks``."""

import sys

from . import main

sys.exit(main())
