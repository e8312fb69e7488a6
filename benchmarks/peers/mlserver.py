"""MLServer with ONNX Runtime inside, one custom runtime per model. Run it as a module."""

import json
import os
import sys
from pathlib import Path

from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse

from benchmarks.peers.inference import Inference, artifacts

SETTINGS = {
    "host": "127.0.0.1",
    "parallel_workers": 0,
    "debug": False,
    "access_logs": False,
    "metrics_endpoint": None,
    "logging_settings": None,
    "use_structured_logging": False,
    "grpc_max_message_length": -1,
}


class Runtime(MLModel):
    """The model that the settings name."""

    async def load(self) -> bool:
        self._inference = Inference(self.name)
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        inputs = {tensor.name: NumpyCodec.decode_input(tensor) for tensor in payload.inputs}
        answers = self._inference.run(inputs)
        names = (name for name, _ in self._inference.outputs)
        outputs = [NumpyCodec.encode_output(name, array) for name, array in zip(names, answers, strict=True)]
        return InferenceResponse(model_name=self.name, model_version="1", outputs=outputs)


def main(http: str, grpc: str, folder: Path) -> None:
    """Write the settings, and become `mlserver start`."""
    settings = {**SETTINGS, "http_port": int(http), "grpc_port": int(grpc)}
    (folder / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
    for model in artifacts():
        home = folder / model
        home.mkdir()
        told = {"name": model, "implementation": "benchmarks.peers.mlserver.Runtime"}
        (home / "model-settings.json").write_text(json.dumps(told), encoding="utf-8")
    command = [str(Path(sys.executable).with_name("mlserver")), "start", str(folder)]
    os.execv(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
