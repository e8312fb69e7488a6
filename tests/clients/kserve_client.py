"""Drives a gateway with KServe's two inference clients. Runs where `kserve` is installed, and tells by JSON.

python kserve_client.py HTTP_ADDRESS GRPC_ADDRESS
"""

import asyncio
import json
import sys
from importlib import import_module
from typing import Any

import numpy as np


async def main(http: str, grpc: str) -> dict[str, Any]:
    """What both clients got: readiness, answers in JSON and raw, and the words of an error."""
    kserve: Any = import_module("kserve")
    rest = kserve.InferenceRESTClient(kserve.RESTConfig(protocol="v2", retries=0))
    remote = kserve.InferenceGRPCClient(grpc, retries=0)
    url, rows = f"http://{http}", np.ones((2, 4), np.float32)

    def request(model: str, binary: bool) -> Any:
        inputs = [kserve.InferInput(name, [2, 4], "FP32") for name in ("a", "b")]
        for tensor in inputs:
            tensor.set_data_from_numpy(rows, binary_data=binary)
        return kserve.InferRequest(model, inputs, request_id="k-1")

    def told(response: Any) -> list[Any]:
        return [response.id, response.model_name, response.outputs[0].as_numpy().tolist()]

    found: dict[str, Any] = {
        "ready": [
            await rest.is_server_live(url),
            await rest.is_server_ready(url),
            await rest.is_model_ready(url, "pair"),
            await remote.is_server_live(),
            await remote.is_server_ready(),
            await remote.is_model_ready("pair"),
        ],
        "json": told(await rest.infer(url, request("pair", False), model_name="pair")),
        "binary": told(await rest.infer(url, request("pair", True), model_name="pair")),
        "typed": told(await remote.infer(request("pair", False))),
        "raw": told(await remote.infer(request("pair", True))),
    }
    for name, call in (
        ("http error", rest.infer(url, request("nobody", False), model_name="nobody")),
        ("grpc error", remote.infer(request("nobody", False))),
    ):
        try:
            await call
        except Exception as error:
            found[name] = str(error)
    await rest.close()
    await remote.close()
    return found


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(*sys.argv[1:]))))
