"""`python -m lifecycle.cli`: the `headrace` command where it is not on the path."""

import sys

from lifecycle.cli import main

if __name__ == "__main__":
    sys.exit(main())
