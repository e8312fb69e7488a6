"""`python -m lifecycle`: the process behind `headrace up`."""

from lifecycle.cluster import main

if __name__ == "__main__":
    main()
