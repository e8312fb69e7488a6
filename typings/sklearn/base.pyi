from typing import Any, Self

from numpy.typing import NDArray

class BaseEstimator:
    def fit(self, X: NDArray[Any], y: NDArray[Any], **fit_params: Any) -> Self: ...
    def predict(self, X: NDArray[Any]) -> NDArray[Any]: ...
