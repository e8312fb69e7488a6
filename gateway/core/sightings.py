"""Whether something was seen before, for caches that are to keep only what comes at least twice."""


class Sightings:
    """Remembers texts of any length, `most` of them; when there are more, all are forgotten.

    Keeps their hashes only. Of two texts with the same hash the second counts as seen one time too early,
    which does no harm.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._seen: set[int] = set()

    def again(self, text: bytes) -> bool:
        """Whether it was seen before; if so it is forgotten, and its next sighting is a first one again."""
        key = hash(text)
        if key in self._seen:
            self._seen.discard(key)
            return True
        if len(self._seen) >= self._most:
            self._seen.clear()
        self._seen.add(key)
        return False
