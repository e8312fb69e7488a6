"""Tells what comes again from what comes once, for memories that are to keep only the former."""


class Sightings:
    """Of texts of any length, `most` of them at a time: then all are forgotten.

    Hashes are kept, not texts: that two have one in common makes the second known early, and no more.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._seen: set[int] = set()

    def again(self, text: bytes) -> bool:
        """Whether it has come before. Having said so, it begins anew."""
        key = hash(text)
        if key in self._seen:
            self._seen.discard(key)
            return True
        if len(self._seen) >= self._most:
            self._seen.clear()
        self._seen.add(key)
        return False
