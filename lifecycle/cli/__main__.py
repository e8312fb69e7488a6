"""`python -m lifecycle.cli`: the `headrace` command where it is not on the path."""

from lifecycle.cli import main

if __name__ == "__main__":
    main()
