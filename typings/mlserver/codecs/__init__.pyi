from typing import Any

from mlserver.types import RequestInput, ResponseOutput

class NumpyCodec:
    @classmethod
    def decode_input(cls, request_input: RequestInput) -> Any: ...
    @classmethod
    def encode_output(cls, name: str, payload: Any) -> ResponseOutput: ...
