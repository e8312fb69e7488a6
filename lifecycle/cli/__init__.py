"""The `headrace` command. Talks to the admin API through the SDK only."""

from lifecycle.cli.main import main as main
