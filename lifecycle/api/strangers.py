"""Refuses what a request says beside what its route takes: misspelt, a filter would filter nothing, unseen.

The bodies that are JSON see to it themselves (`schemas/requests.py`).
"""

from collections.abc import Collection, Iterable

from fastapi import Request

from gateway.core.words import listed, or_rather, quoted
from lifecycle.errors import LifecycleCode, LifecycleError

_FORM = "multipart/form-data"


async def refuse_strangers(request: Request) -> None:
    """Raises LifecycleError INVALID for a query parameter or form field that the route does not name."""
    document = request.app.openapi()
    operation = document["paths"].get(request.scope["route"].path_format, {}).get(request.method.lower(), {})
    parameters = operation.get("parameters", ())
    _refuse(request.query_params, [each["name"] for each in parameters if each["in"] == "query"])
    content = operation.get("requestBody", {}).get("content", {})
    if _FORM in content:
        name = content[_FORM]["schema"]["$ref"].rsplit("/", 1)[1]
        fields = document["components"]["schemas"][name]["properties"]
        _refuse(await request.form(), fields)


def _refuse(given: Iterable[str], taken: Collection[str]) -> None:
    if stranger := next((name for name in given if name not in taken), None):
        takes = f"this takes {listed(sorted(taken))}" if taken else "this takes none"
        message = f"there is no parameter {quoted(stranger)}: {takes}{or_rather(stranger, taken)}"
        raise LifecycleError(LifecycleCode.INVALID, message)
