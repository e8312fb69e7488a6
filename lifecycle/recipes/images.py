"""Recipes for models that take small greyscale images, one [rows, pixels] tensor, and name a class.

Pixels share one scale. Standardised one by one, a pixel that was white in every training image would count
a hundredfold when it is first inked; so an image is only scaled to its own darkest pixel.
"""

from onnx import ModelProto
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import Normalizer

from lifecycle.recipes.tabular import fit
from lifecycle.recipes.training import TrainingData


def logistic(data: TrainingData) -> ModelProto:
    """Logistic regression on the pixels."""
    return fit(data, Normalizer(norm="max"), LogisticRegression(max_iter=300))


def mlp(data: TrainingData) -> ModelProto:
    """One hidden layer of 64 units on the pixels."""
    return fit(data, Normalizer(norm="max"), MLPClassifier((64,), max_iter=1_000, random_state=0))
