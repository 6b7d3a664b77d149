"""``python -m hsc`` is the command ``hsc``: see ``hsc/cli``."""

import sys

from hsc.cli import main

if __name__ == "__main__":
    sys.exit(main())
