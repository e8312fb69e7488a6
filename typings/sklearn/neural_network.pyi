from sklearn.base import BaseEstimator

class MLPClassifier(BaseEstimator):
    def __init__(
        self,
        hidden_layer_sizes: tuple[int, ...] = ...,
        *,
        max_iter: int = ...,
        early_stopping: bool = ...,
        random_state: int | None = ...,
    ) -> None: ...
