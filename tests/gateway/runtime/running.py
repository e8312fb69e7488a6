"""A row of the logistic model, and whether a run of it answers at once."""

from collections.abc import Coroutine
from typing import Any

import numpy as np

from gateway.core.types import Array

ROW: dict[str, Array] = {"x": np.zeros((1, 30), np.float32)}


def suspends(run: Coroutine[Any, Any, dict[str, Array]]) -> bool:
    """Whether a first step of the run does not answer."""
    try:
        run.send(None)
    except StopIteration:
        return False
    run.close()
    return True
