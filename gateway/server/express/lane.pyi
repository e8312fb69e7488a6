from collections.abc import Mapping

from gateway.ports import Routes
from gateway.server.express.express import Express
from gateway.server.express.plans import Layout
from gateway.server.gate import Gate
from gateway.server.pressure import Pressure

CHUNKED: int
JSON: int
GRPC: int

class Bodies:
    def __init__(self, kind: int) -> None: ...
    def __len__(self) -> int: ...
    def add(self, start: bytes, length: int, layout: Layout) -> None: ...
    def known(self, start: bytes, rest: bytes) -> Layout | None: ...

class Head:
    def __init__(self, length: int, bodies: Bodies, headers: Mapping[bytes, bytes]) -> None: ...

class Lane:
    def __init__(
        self,
        host: Express,
        routes: Routes,
        pressure: Pressure,
        gate: Gate | None,
        ids: bytes,
        seed: int,
        most: int,
        slow_ns: int,
    ) -> None: ...
    def knows(self, head: bytes) -> bool: ...
    def add(self, head: bytes, known: Head) -> None: ...
    def forget(self) -> None: ...
    def answer(self, data: bytes) -> bytes | None: ...
