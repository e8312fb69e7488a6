"""The demo's world: scanned digits, and a scanner that wears out.

The scans are scikit-learn's copy of UCI's Optical Recognition of Handwritten Digits: 1,797 real images of
8 × 8 pixels, 0 (white) to 16 (black), with their true class.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from sklearn.datasets import load_digits

Images = NDArray[np.float32]
Labels = NDArray[np.int64]

PIXELS = 64
CONTRAST = 0.6
"""How much of its ink a worn scanner still sees."""


@dataclass(frozen=True, slots=True)
class Scans:
    """Images, float32 [n, 64], and their true classes, int64 [n]."""

    images: Images
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)

    def part(self, start: int, stop: int) -> "Scans":
        return Scans(self.images[start:stop], self.labels[start:stop])


@dataclass(frozen=True, slots=True)
class World:
    """Three sets that share no scan.

    `history` is there before the demo starts. `labelled` is scanned live, and its labels come in late.
    `unseen` is scanned live too, but nobody ever learns its labels: accuracy is measured on it.
    """

    history: Scans
    labelled: Scans
    unseen: Scans


def world(rng: np.random.Generator) -> World:
    bunch = load_digits()
    order = rng.permutation(len(bunch.target))
    scans = Scans(bunch.data[order].astype(np.float32), bunch.target[order].astype(np.int64))
    return World(scans.part(0, 700), scans.part(700, 1400), scans.part(1400, len(scans)))


def wear(images: Images, rng: np.random.Generator) -> Images:
    """The same scans from a worn scanner: lower contrast, blurred, and slightly rotated.

    Args:
        images: float32 [n, 64], pixels 0 to 16.
    """
    worn = np.empty_like(images)
    for index, image in enumerate(images):
        page = image.reshape(8, 8)
        turned = ndimage.rotate(page, rng.uniform(8, 13), reshape=False, order=1)
        blurred = ndimage.gaussian_filter(turned, rng.uniform(0.4, 0.5))
        worn[index] = np.clip(CONTRAST * blurred, 0, 16).reshape(PIXELS)
    return worn
