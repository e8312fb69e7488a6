from collections.abc import Sequence

class LitAPI:
    def __init__(self, *, api_path: str = ...) -> None: ...

class LitServer:
    def __init__(
        self, lit_api: Sequence[LitAPI], *, accelerator: str = ..., workers_per_device: int = ...
    ) -> None: ...
    def run(
        self,
        host: str = ...,
        port: int = ...,
        *,
        num_api_servers: int | None = ...,
        log_level: str = ...,
        generate_client_file: bool = ...,
    ) -> None: ...
