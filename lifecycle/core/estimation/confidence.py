"""What a classifier's figures would be if its probabilities are right: confidence-based estimation (CBPE).

Assumes that a score means what it meant: calibrated probabilities, and no change of what the truth is for
given inputs. That cannot be seen without labels.
"""

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def expected_accuracy(probabilities: Floats, answered: Ints) -> tuple[float, float]:
    """Expected share of right answers, and its sampling error: how far chance alone moves the realised one.

    Args:
        probabilities: of each class, [rows, classes].
        answered: the class that was answered, [rows].
    """
    right = probabilities[np.arange(len(answered)), answered]
    return float(right.mean()), math.sqrt(float((right * (1 - right)).sum())) / len(right)


def expected_f1(probabilities: Floats, answered: Ints) -> float:
    """Expected F1 of class 1 of two, from the expected confusion matrix; NaN without any of that class."""
    of_class, said = probabilities[:, 1], answered == 1
    true_positives = float(of_class[said].sum())
    wrong = float((1 - of_class[said]).sum() + of_class[~said].sum())
    found = 2 * true_positives + wrong
    return 2 * true_positives / found if found else math.nan


def expected_auc(probabilities: Floats, scores: Floats) -> float:
    """Expected area under the ROC curve of the scores; the mean of each class against the rest beyond two.

    Args:
        probabilities: of each class, [rows, classes].
        scores: what rows are ranked by, as the model gave them, like `probabilities`.
    """
    classes = range(scores.shape[1]) if scores.shape[1] > 2 else (1,)
    return float(np.mean([_area(probabilities[:, each], scores[:, each]) for each in classes]))


def _area(of_class: Floats, scores: Floats) -> float:
    # Rows of one score are one step: their order says nothing.
    _, step = np.unique(-scores, return_inverse=True)
    found = np.concatenate([[0.0], np.cumsum(np.bincount(step, of_class))])
    false = np.concatenate([[0.0], np.cumsum(np.bincount(step, 1 - of_class))])
    if not found[-1] or not false[-1]:
        return math.nan
    return float(np.trapezoid(found / found[-1], false / false[-1]))
