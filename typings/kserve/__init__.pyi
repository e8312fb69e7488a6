from collections.abc import Sequence
from typing import Any

class InferInput:
    name: str
    def as_numpy(self) -> Any: ...

class InferRequest:
    id: str | None
    inputs: list[InferInput]
    from_grpc: bool
    request_outputs: list[Any] | None
    use_binary_outputs: bool

class InferOutput:
    def __init__(self, name: str, shape: list[int], datatype: str) -> None: ...
    def set_data_from_numpy(self, output_tensor: Any, binary_data: bool = ...) -> None: ...

class InferResponse:
    def __init__(
        self,
        response_id: str,
        model_name: str,
        infer_outputs: Sequence[InferOutput],
        *,
        model_version: str | None = ...,
        use_binary_outputs: bool = ...,
        requested_outputs: list[Any] | None = ...,
    ) -> None: ...

class Model:
    name: str
    ready: bool
    def __init__(self, name: str) -> None: ...

class ModelServer:
    def __init__(
        self,
        *,
        http_port: int = ...,
        grpc_port: int = ...,
        workers: int = ...,
        enable_latency_logging: bool = ...,
        grace_period: int = ...,
    ) -> None: ...
    def start(self, models: Sequence[Model]) -> None: ...
