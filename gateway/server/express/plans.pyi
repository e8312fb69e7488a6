from collections.abc import Callable

from gateway.core.routing import Choice, Draws, ModelRoute, RouteTable
from gateway.core.types import Array, Tensors

LENGTH: int
ID: int

class Tensor:
    name: str
    array: Array
    def __init__(self, name: str, array: Array, code: str) -> None: ...

class Layout:
    inputs: list[Tensor]
    model: str
    protocol: str
    pinned: int | str | None
    rows: int
    table: RouteTable | None
    route: ModelRoute | None
    choice: Choice | None
    draws: Draws
    ways: list[object]
    other: Layout | None
    def __init__(
        self,
        inputs: list[Tensor],
        words: list[bytes],
        runs: list[list[int]],
        text: bool,
        model: str,
        pinned: int | str | None,
        protocol: str,
        rows: int,
    ) -> None: ...
    def reads(self, body: bytes) -> bool: ...

class Answer:
    def __init__(self, parts: list[bytes | None], slots: list[int], text: bool, body: int) -> None: ...

class Plan:
    def __init__(
        self,
        run: Callable[[], None],
        outputs: list[Tensor],
        answer: Answer,
        invalid: Callable[[Tensors], bool] | None,
    ) -> None: ...
    def arrays(self) -> dict[str, Array]: ...
    def written(self, prediction_id: bytes) -> bytes: ...
