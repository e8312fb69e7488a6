"""Recipes for models that take one [rows, features] tensor of numbers, and name a class or answer a number.

The graph takes the tensor as FP32 under the name it has in the data, and gives `label` and
`probabilities` [rows, classes], or `variable` [rows, 1].
"""

import numpy as np
from onnx import ModelProto
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.base import BaseEstimator, is_classifier
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from lifecycle.recipes.training import TrainingData

OPSET = 17
"""Old enough for every runtime that is still in use."""


def logistic(data: TrainingData) -> ModelProto:
    """Standardised logistic regression: fast, calibrated, one linear boundary per class."""
    return fit(data, StandardScaler(), LogisticRegression(max_iter=300))


def mlp(data: TrainingData) -> ModelProto:
    """One hidden layer of 64 units: follows several kinds of input at once."""
    return fit(data, StandardScaler(), MLPClassifier((64,), max_iter=1_000, random_state=0))


def linear(data: TrainingData) -> ModelProto:
    """Standardised ridge regression: a number that grows evenly with each feature."""
    return fit(data, StandardScaler(), Ridge())


def boosted(data: TrainingData) -> ModelProto:
    """Gradient-boosted trees: a number that depends on features and on their combinations."""
    return fit(data, StandardScaler(), GradientBoostingRegressor(random_state=0))


def fit(data: TrainingData, scaler: BaseEstimator, model: BaseEstimator) -> ModelProto:
    """Fit scaler and model as one pipeline and export it. Raises ValueError for data it cannot take."""
    if len(data.inputs) != 1:
        raise ValueError(f"this recipe takes one input tensor, not {len(data.inputs)}")
    ((name, tensor),) = data.inputs.items()
    if tensor.ndim != 2 or tensor.dtype.kind not in "fiu":
        raise ValueError(f"this recipe takes numbers [rows, features]; {name!r} is {list(tensor.shape)}")
    if is_classifier(model):
        labels = data.labels
        if len(np.unique(labels)) < 2:
            raise ValueError("the labels hold a single class")
    elif data.labels.dtype.kind in "biuf":
        labels = data.labels.astype(np.float64)
    else:
        raise ValueError("this recipe learns numbers, and the labels are words")
    pipeline = Pipeline([("scale", scaler), ("model", model)])
    pipeline.fit(tensor.astype(np.float32), labels, model__sample_weight=data.weights)
    return convert_sklearn(
        pipeline,
        "tabular",
        [(name, FloatTensorType([None, tensor.shape[1]]))],
        target_opset={"": OPSET, "ai.onnx.ml": 3},
        options={id(pipeline): {"zipmap": False}} if is_classifier(model) else None,
    )
