"""A model of Triton's Python backend. Copied into its repository, and run by its stub processes."""

import os
import sys
from typing import Any

import numpy as np
import triton_python_backend_utils as triton


class TritonPythonModel:
    """The batch that Triton made of waiting requests is run as one."""

    def initialize(self, args: dict[str, str]) -> None:
        sys.path.append(os.environ["PYTHONPATH"])  # which the stub leaves out
        from benchmarks.peers.inference import Inference

        self._inference = Inference(args["model_name"])

    def execute(self, requests: list[Any]) -> list[Any]:
        name, rows = self._input(requests[0])
        if len(requests) == 1:
            return [self._response(self._inference.run({name: rows}))]
        batches = [self._input(request)[1] for request in requests]
        ends = np.cumsum([len(batch) for batch in batches])[:-1]
        answers = self._inference.run({name: np.concatenate(batches)})
        return [self._response(parts) for parts in zip(*(np.split(a, ends) for a in answers), strict=True)]

    def _input(self, request: Any) -> tuple[str, Any]:
        tensor = request.inputs()[0]
        return tensor.name(), tensor.as_numpy()

    def _response(self, answers: Any) -> Any:
        names = (name for name, _ in self._inference.outputs)
        return triton.InferenceResponse(
            [triton.Tensor(name, array) for name, array in zip(names, answers, strict=True)]
        )
