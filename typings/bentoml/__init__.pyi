from collections.abc import Callable, Mapping
from typing import Any, TypeVar

_Function = TypeVar("_Function", bound=Callable[..., Any])

def service(
    *,
    workers: int = ...,
    metrics: Mapping[str, Any] = ...,
    logging: Mapping[str, Any] = ...,
    traffic: Mapping[str, Any] = ...,
) -> Callable[[type], type]: ...
def api(*, route: str | None = ...) -> Callable[[_Function], _Function]: ...
