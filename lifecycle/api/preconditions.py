"""`If-Match`: a change that only goes ahead on the revision that its caller saw."""

import re
from typing import Annotated

from fastapi import Depends, Header

from lifecycle.errors import LifecycleCode, LifecycleError

_ETAG = re.compile(r'(?:W/)?"(\d{1,18})"|(\d{1,18})')


def _if_revision(if_match: Annotated[str | None, Header()] = None) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    found = _ETAG.fullmatch(if_match.strip())
    if found is None:
        raise LifecycleError(
            LifecycleCode.INVALID, 'If-Match is the ETag of the model\'s traffic, e.g. `"7"`'
        )
    return int(found[1] or found[2])


IfRevision = Annotated[int | None, Depends(_if_revision)]
"""The revision that the model must be at; None if the caller does not mind."""


def etag(revision: int) -> str:
    """A model's revision as HTTP has it."""
    return f'"{revision}"'
