"""The shipped recipes learn digits and leave a graph that callers of the old version can call."""

import numpy as np
import onnxruntime as ort
import pytest
from onnx import ModelProto
from sklearn.datasets import load_digits

from gateway.core.types import Array
from lifecycle.recipes import tabular
from lifecycle.recipes.training import Recipe, TrainingData


def data(rows: slice, labels: Array | None = None) -> TrainingData:
    digits = load_digits()
    inputs = {"pixels": digits.data[rows].astype(np.float32)}
    truth = digits.target[rows] if labels is None else labels
    return TrainingData(inputs, truth, np.ones(len(truth)))


def load(model: ModelProto) -> ort.InferenceSession:
    return ort.InferenceSession(model.SerializeToString(), ort.SessionOptions(), ["CPUExecutionProvider"])


@pytest.mark.parametrize("recipe", [tabular.logistic, tabular.mlp])
def test_a_recipe_learns_digits(recipe: Recipe) -> None:
    model = recipe(data(slice(0, 1_400)))
    session = load(model)
    assert [(i.name, i.type, i.shape[1]) for i in session.get_inputs()] == [("pixels", "tensor(float)", 64)]
    assert [(o.name, o.type) for o in session.get_outputs()] == [
        ("label", "tensor(int64)"),
        ("probabilities", "tensor(float)"),
    ]
    test = data(slice(1_400, None))
    label, probabilities = session.run(["label", "probabilities"], dict(test.inputs))
    assert np.mean(np.asarray(label) == test.labels) > 0.88
    assert np.asarray(probabilities).shape == (len(test.labels), 10)


def test_classes_may_be_words() -> None:
    words = np.where(load_digits().target[:300] < 5, "low", "high")
    session = load(tabular.logistic(data(slice(0, 300), words)))
    (label,) = session.run(["label"], dict(data(slice(0, 2)).inputs))
    assert set(np.asarray(label).tolist()) <= {"low", "high"}


@pytest.mark.parametrize(
    ("inputs", "complaint"),
    [
        ({"a": np.zeros((4, 2)), "b": np.zeros((4, 2))}, "one input tensor, not 2"),
        ({"a": np.zeros((4, 2, 2))}, r"'a' is \[4, 2, 2\]"),
        ({"a": np.zeros((4, 2))}, "single class"),
    ],
)
def test_data_that_a_recipe_cannot_take_is_named(inputs: dict[str, Array], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        tabular.logistic(TrainingData(inputs, np.zeros(4, np.int64), np.ones(4)))


@pytest.mark.parametrize("recipe", [tabular.linear, tabular.boosted])
def test_a_recipe_learns_numbers(recipe: Recipe) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1_500, 3)).astype(np.float32)
    price = 100 + 20 * x[:, 0] - 10 * x[:, 1] + rng.normal(size=1_500)
    session = load(recipe(TrainingData({"rooms": x[:1_000]}, price[:1_000], np.ones(1_000))))
    (output,) = session.get_outputs()
    assert (output.name, output.type, output.shape[1]) == ("variable", "tensor(float)", 1)
    (answer,) = session.run(["variable"], {"rooms": x[1_000:]})
    assert np.abs(np.asarray(answer)[:, 0] - price[1_000:]).mean() < 4


def test_words_are_no_numbers_to_learn() -> None:
    words = np.array(["a", "b", "a", "b"])
    with pytest.raises(ValueError, match="the labels are words"):
        tabular.linear(TrainingData({"x": np.zeros((4, 2))}, words, np.ones(4)))
