"""The express lane: a short way for requests like some that went the usual one.

Compiled where there was a C compiler when Headrace was installed; elsewhere all requests go the usual way.
"""

from importlib.util import find_spec

COMPILED = all(find_spec(f"{__name__}.{part}") for part in ("lane", "meter", "plans", "poller"))
