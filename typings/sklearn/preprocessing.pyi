from sklearn.base import BaseEstimator

class StandardScaler(BaseEstimator):
    def __init__(self, *, with_mean: bool = ..., with_std: bool = ...) -> None: ...

class Normalizer(BaseEstimator):
    def __init__(self, norm: str = "l2") -> None: ...
