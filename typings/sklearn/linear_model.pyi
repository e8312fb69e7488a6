from sklearn.base import BaseEstimator

class Ridge(BaseEstimator):
    def __init__(self, alpha: float = ...) -> None: ...

class LogisticRegression(BaseEstimator):
    def __init__(self, *, C: float = ..., max_iter: int = ..., random_state: int | None = ...) -> None: ...
