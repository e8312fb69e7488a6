"""How long a change of weights takes, from the command to every worker answering by it."""
