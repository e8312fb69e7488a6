from typing import Any, Self

from numpy.typing import NDArray
from sklearn.base import BaseEstimator

class Pipeline(BaseEstimator):
    named_steps: dict[str, BaseEstimator]
    def __init__(self, steps: list[tuple[str, BaseEstimator]]) -> None: ...
    def fit(self, X: NDArray[Any], y: NDArray[Any], **params: Any) -> Self: ...
