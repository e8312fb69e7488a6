"""Image recipes learn digits and do not care how dark a scan is."""

import numpy as np
import onnxruntime as ort
import pytest
from sklearn.datasets import load_digits

from lifecycle.recipes import images
from lifecycle.recipes.training import Recipe, TrainingData


@pytest.mark.parametrize("recipe", [images.logistic, images.mlp])
def test_faded_digits_are_read_as_well(recipe: Recipe) -> None:
    digits = load_digits()
    pixels, labels = digits.data.astype(np.float32), digits.target
    model = recipe(TrainingData({"pixels": pixels[:1_400]}, labels[:1_400], np.ones(1_400)))
    session = ort.InferenceSession(model.SerializeToString(), ort.SessionOptions(), ["CPUExecutionProvider"])
    for contrast in (1.0, 0.3):
        (label,) = session.run(["label"], {"pixels": contrast * pixels[1_400:]})
        assert np.mean(np.asarray(label) == labels[1_400:]) > 0.88
