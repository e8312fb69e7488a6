from collections.abc import Callable, Mapping
from typing import Any, Protocol

from gateway.core.routing import ModelRoute, RouteTable
from gateway.core.types import Array, Tensors
from gateway.ports import Routes

LENGTH: int
ID: int
CHUNKED: int
JSON: int
GRPC: int

class Tensor:
    name: str
    array: Array
    def __init__(self, name: str, array: Array, code: str) -> None: ...

class Meter:
    key: tuple[str, int, Any, str]
    generation: int
    share: float
    def __init__(self, key: tuple[str, int, Any, str], generation: int, share: float) -> None: ...
    @property
    def idle(self) -> bool: ...
    def take(self) -> tuple[int, Any, int]: ...
    def settle(self, count: Any) -> None: ...

class Layout:
    inputs: list[Tensor]
    model: str
    protocol: str
    pinned: int | str | None
    rows: int
    table: RouteTable | None
    route: ModelRoute | None
    choice: Any
    def __init__(
        self,
        inputs: list[Tensor],
        words: list[bytes],
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

class Bodies:
    def __init__(self, kind: int) -> None: ...
    def __len__(self) -> int: ...
    def add(self, start: bytes, length: int, layout: Layout) -> None: ...
    def known(self, start: bytes) -> Layout | None: ...

class Head:
    def __init__(self, length: int, bodies: Bodies, headers: Mapping[bytes, bytes]) -> None: ...

class Pressed(Protocol):
    high: bool

class Lane:
    def __init__(
        self,
        host: Any,
        routes: Routes,
        pressure: Pressed,
        gate: Any,
        ids: bytes,
        seed: int,
        most: int,
        slow_ns: int,
    ) -> None: ...
    def __len__(self) -> int: ...
    def add(self, head: bytes, known: Head) -> None: ...
    def forget(self) -> None: ...
    def answer(self, data: bytes) -> bytes | None: ...
