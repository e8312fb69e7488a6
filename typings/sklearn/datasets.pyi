from typing import Any

from numpy.typing import NDArray

class Bunch:
    data: NDArray[Any]
    target: NDArray[Any]
    images: NDArray[Any]

def load_digits() -> Bunch: ...
def load_breast_cancer() -> Bunch: ...
def load_iris() -> Bunch: ...
